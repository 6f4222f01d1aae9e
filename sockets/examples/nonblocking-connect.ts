/**
 * A connect(2) that does not wait: it begins the handshake and returns. The socket becomes writable when
 * the handshake is over; SO_ERROR then says how it ended. This is how one thread opens many connections
 * at once.
 *
 *     npx tsx sockets/examples/nonblocking-connect.ts
 */
import { getSystemErrorName } from 'node:util';
import * as sys from '../index.ts';

const listener = sys.openListener({ address: '127.0.0.1', port: 0 }, 16, true);
console.log(`somebody listens: ${tryToConnect(listener.at)}`);
sys.close(listener.fd);
console.log(`nobody listens:   ${tryToConnect(listener.at)}`);

function tryToConnect(to: sys.SocketAddress): string {
  const fd = sys.socket(sys.AF_INET);
  sys.setNonBlocking(fd);
  const begun = sys.connect(fd, to) === sys.WOULD_BLOCK ? 'connect returned at once' : 'connected';
  const table = new sys.PollTable();
  table.add(fd, sys.POLLOUT);
  table.poll(5000);
  const error = sys.getsockopt(fd, sys.SO_ERROR); // 0, or why it failed
  sys.close(fd);
  return `${begun}, SO_ERROR ${error === 0 ? '0: connected' : getSystemErrorName(-error)}`;
}
