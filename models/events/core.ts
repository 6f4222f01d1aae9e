/**
 * events, the model and nothing else: callbacks. Nobody waits here. Node's event loop calls each function
 * when its event has happened, and between two calls all that is known about a client is in variables.
 */
import { createServer } from 'node:net';
import { LineFramer } from '../../echo/framing.ts';

const server = createServer({ allowHalfOpen: true });

server.on('connection', (socket) => {
  const framer = new LineFramer('crlf', 65536);

  socket.on('data', (chunk) => {
    for (const lines of framer.push(chunk)) {
      if (!socket.write(lines)) socket.pause(); // backpressure: the kernel has no room
    }
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
});

server.listen(Number(process.env.PORT ?? 12321), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`events core listening on 127.0.0.1:${port} (pid ${process.pid})`);
});
