/**
 * poll(2) waits for several descriptors at once, and no longer than it is told to: it returns how many
 * are ready, and 0 when the time is up.
 *
 *     npx tsx sockets/examples/poll-timeout.ts
 */
import * as sys from '../index.ts';
import { connectedPair } from './connected-pair.ts';

const quiet = connectedPair();
const busy = connectedPair();
const table = new sys.PollTable();
table.add(quiet.server, sys.POLLIN);
table.add(busy.server, sys.POLLIN);

console.log(`nobody has sent: ${table.poll(50)} ready after 50 ms`);
sys.send(busy.client, Buffer.from('x'));
console.log(`one has sent:    ${table.poll(5000)} ready, entry ${readyEntry()}`);
// Level-triggered: as long as the byte is not received, every poll says so again.
console.log(`asked again:     ${table.poll(5000)} ready, entry ${readyEntry()}`);
sys.recv(busy.server, Buffer.alloc(10));
console.log(`received:        ${table.poll(0)} ready`);
for (const fd of [quiet.client, quiet.server, busy.client, busy.server]) sys.close(fd);

function readyEntry(): number {
  return table.revents(0) !== 0 ? 0 : 1;
}
