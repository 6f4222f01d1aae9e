/**
 * A TCP server: socket, bind, listen, accept, recv, send, close. It echoes what one client says, and ends.
 *
 *     npx tsx sockets/examples/tcp-server.ts [port]
 */
import * as sys from '../index.ts';

const listener = sys.socket(sys.AF_INET);
// Without this the port is refused while connections of an earlier server are in TIME_WAIT.
sys.setsockopt(listener, sys.SO_REUSEADDR, 1);
sys.bind(listener, { address: '127.0.0.1', port: Number(process.argv[2] ?? 12321) });
sys.listen(listener, 16); // up to 16 clients may be connected before they are accepted
console.log(`waiting on port ${sys.getsockname(listener).port}`);

const client = sys.accept(listener); // waits for a client
console.log(`serving ${sys.getpeername(client).address}`);

const buffer = Buffer.alloc(4096);
for (;;) {
  const received = sys.recv(client, buffer); // waits for bytes
  if (received === 0) break; // the client's FIN: it sends no more
  for (let sent = 0; sent < received; ) {
    sent += sys.send(client, buffer, sent, received - sent); // waits for room
  }
  console.log(`echoed ${received} bytes`);
}
sys.close(client);
sys.close(listener);
