/**
 * UDP echo (RFC 862): no connection, no stream. Each datagram is a message of its own that arrives
 * whole or not at all, and every answer needs an address.
 *
 *     npx tsx sockets/examples/udp-echo.ts
 */
import * as sys from '../index.ts';

const server = sys.socket(sys.AF_INET, sys.SOCK_DGRAM);
sys.bind(server, { address: '127.0.0.1', port: 0 }); // RFC 862 says port 7, which needs privileges
const client = sys.socket(sys.AF_INET, sys.SOCK_DGRAM);

const to = sys.getsockname(server);
for (const text of ['one', 'two', '']) sys.sendto(client, Buffer.from(text), to);

const buffer = Buffer.alloc(65_535); // what does not fit into the buffer is lost
for (let i = 0; i < 3; i++) {
  const request = sys.recvfrom(server, buffer); // waits for one datagram
  if (typeof request === 'number') continue; // interrupted
  sys.sendto(server, buffer.subarray(0, request.length), request.from);
  const answer = sys.recvfrom(client, buffer);
  if (typeof answer === 'number') continue;
  console.log(`${answer.length} bytes came back: "${buffer.toString('utf8', 0, answer.length)}"`);
}
for (const fd of [client, server]) sys.close(fd);
