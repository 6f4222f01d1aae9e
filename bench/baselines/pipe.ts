/** The least that Node can do: what comes in goes out. It does not even look for lines. */
import { createServer } from 'node:net';
import { announce, BACKLOG, portFromArguments } from './start.ts';

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
server.listen({ host: '127.0.0.1', port: portFromArguments(), backlog: BACKLOG }, () =>
  announce('pipe', server),
);
