/**
 * What send(2) leaves over. The kernel takes what fits into its buffers; on a non-blocking socket send
 * then returns, and the program has to keep the rest until there is room. To wait for that room before
 * reading more is backpressure.
 *
 *     npx tsx sockets/examples/partial-send.ts
 */
import * as sys from '../index.ts';
import { connectedPair } from './connected-pair.ts';

const { client, server } = connectedPair();
sys.setNonBlocking(client);
sys.setNonBlocking(server);

const bytes = Buffer.alloc(64 * 1024 * 1024, 'x');
let sent = sys.send(client, bytes);
console.log(`send took ${sent < bytes.length ? 'a part' : 'all'} of 64 MiB`);
while (sys.send(client, bytes, sent, 1) > 0) sent++;
console.log('the next send: WOULD_BLOCK');

const room = Buffer.alloc(1024 * 1024);
const table = new sys.PollTable();
table.add(client, sys.POLLOUT);
table.add(server, sys.POLLIN);
let received = 0;
while (received < bytes.length) {
  table.poll(-1); // waits until there is room, or something to read
  if (table.revents(0) !== 0) sent += Math.max(0, sys.send(client, bytes, sent));
  if (sent === bytes.length) table.disable(0); // nothing is pending: no question about room
  if (table.revents(1) !== 0) received += Math.max(0, sys.recv(server, room));
}
console.log(`after the other end had read, the rest went: ${received / 1024 / 1024} MiB arrived`);
for (const fd of [client, server]) sys.close(fd);
