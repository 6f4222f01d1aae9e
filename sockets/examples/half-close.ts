/**
 * Half-close: a connection has two directions, and each ends by itself. shutdown(2) with SHUT_WR sends the
 * FIN ("I send no more"), and the answers still come.
 *
 *     npx tsx sockets/examples/half-close.ts
 */
import * as sys from '../index.ts';
import { connectedPair } from './connected-pair.ts';

const { client, server } = connectedPair();
const buffer = Buffer.alloc(100);

sys.send(client, Buffer.from('a question'));
sys.shutdown(client, sys.SHUT_WR);
console.log(`the server receives ${sys.recv(server, buffer)} bytes`);
console.log(`the server receives ${sys.recv(server, buffer)}: the client's FIN`);

sys.send(server, Buffer.from('the answer'));
console.log(`the client still receives ${sys.recv(client, buffer)} bytes`);
sys.close(server); // both directions are closed now
console.log(`the client receives ${sys.recv(client, buffer)}: the server's FIN`);
sys.close(client);
