/**
 * IPv4 and IPv6, on one socket and on two. An IPv6 listener on `::` takes IPv4 clients as well, whose
 * addresses then look like ::ffff:127.0.0.1. IPV6_V6ONLY switches that off, so that an IPv4 listener can
 * have the same port.
 *
 *     npx tsx sockets/examples/dual-stack.ts
 */
import * as sys from '../index.ts';

const one = sys.openListener({ address: '::', port: 0 }, 16, false);
console.log('one socket, on ::');
for (const address of ['127.0.0.1', '::1']) visit(address, one);
sys.close(one.fd);

const { port } = one.at; // of this socket, so it was free on both families
const two = ['0.0.0.0', '::'].map((address) => sys.openListener({ address, port }, 16, true));
console.log('two sockets on the same port, one on 0.0.0.0 and one on :: with IPV6_V6ONLY');
visit('127.0.0.1', two[0]);
visit('::1', two[1]);
for (const { fd } of two) sys.close(fd);

function visit(address: string, listener: sys.Listener | undefined): void {
  if (!listener) return;
  const client = sys.socket(sys.familyOf(address));
  sys.connect(client, { address, port: listener.at.port });
  const server = sys.accept(listener.fd);
  console.log(`  a client of ${address} is seen as ${sys.getpeername(server).address}`);
  for (const fd of [client, server]) sys.close(fd);
}
