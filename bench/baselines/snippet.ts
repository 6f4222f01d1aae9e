/**
 * The usual snippet for a line server in Node: it appends text to a string, and cuts the string at each line end.
 * It breaks bytes that are not UTF-8, has no backpressure, and does not limit the length of a line. It is here to
 * compare its speed.
 */
import { createServer } from 'node:net';
import { announce, BACKLOG, portFromArguments } from './start.ts';

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let buffered = '';
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    buffered += text;
    for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
      socket.write(buffered.slice(0, end + 2));
      buffered = buffered.slice(end + 2);
    }
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
});
server.listen({ host: '127.0.0.1', port: portFromArguments(), backlog: BACKLOG }, () =>
  announce('snippet', server),
);
