/**
 * A naive line-echo server in Node, as in many tutorials. It is wrong; what is wrong with it?
 *
 * node examples/naive.mjs          # port 12321, or PORT in the environment
 */
import { createServer } from 'node:net';

const PORT = Number(process.env.PORT ?? 12321);

const server = createServer((socket) => {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
    const lines = text.split('\r\n');
    text = lines.pop();
    for (const line of lines) socket.write(`${line}\r\n`);
  });
});
server.listen(PORT, '127.0.0.1', () => {
  console.log(`naive.mjs listening on 127.0.0.1:${PORT} (pid ${process.pid})`);
});
