/**
 * A reset, provoked in two ways. A server that closes with unread input sends RST, and the client may lose
 * an answer that is on its way: so a server sends its FIN and reads on until the client's.
 *
 *     npx tsx sockets/examples/reset.ts
 */
import * as sys from '../index.ts';
import { connectedPair } from './connected-pair.ts';

const lingering = connectedPair();
sys.setsockopt(lingering.client, sys.SO_LINGER, 0); // close sends RST, not FIN
sys.close(lingering.client);
console.log(`the other end closed with SO_LINGER 0: ${tryToReceive(lingering.server)}`);

const unread = connectedPair();
sys.send(unread.client, Buffer.from('nobody reads this'));
sys.close(unread.server);
console.log(`the other end closed with unread input: ${tryToReceive(unread.client)}`);

const polite = connectedPair();
sys.close(polite.server);
console.log(`the other end closed with nothing unread: ${tryToReceive(polite.client)}`);
for (const fd of [lingering.server, unread.client, polite.client]) sys.close(fd);

function tryToReceive(fd: number): string {
  try {
    return `recv returns ${sys.recv(fd, Buffer.alloc(100))}`;
  } catch (error) {
    return `${(error as sys.SocketError).message}`;
  }
}
