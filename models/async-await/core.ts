/**
 * async-await, the model and nothing else: an async function for each client. It reads from top to bottom,
 * as `blocking` does. But where `blocking` sleeps, this function is put aside, and others go on.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { LineFramer } from '../../echo/framing.ts';

const server = createServer({ allowHalfOpen: true }, (socket) => {
  serve(socket).catch(() => socket.destroy()); // not awaited: it runs beside the others
  socket.on('error', () => {}); // the function learns of it where it awaits
});

/** Answers one client until it has sent its FIN. */
async function serve(socket: Socket): Promise<void> {
  const framer = new LineFramer('crlf', 65536);
  // Without the option, the iterator destroys the socket at the client's FIN, and pending output is lost.
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const lines = Buffer.concat(framer.push(chunk));
    if (!socket.write(lines)) await once(socket, 'drain'); // backpressure: waits for room, and does not read
  }
  socket.end();
}

server.listen(Number(process.env.PORT ?? 12321), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`async-await core listening on 127.0.0.1:${port} (pid ${process.pid})`);
});
