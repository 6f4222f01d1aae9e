/** The simplest echo in Node: it pipes input to output, and does not look for lines. */
import { createServer } from 'node:net';
import { announce, BACKLOG, portFromArguments } from './start.ts';

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
server.listen({ host: '127.0.0.1', port: portFromArguments(), backlog: BACKLOG }, () =>
  announce('pipe', server),
);
