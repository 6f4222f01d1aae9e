/**
 * The errors that everybody meets, each provoked, with what it means.
 *
 *     npx tsx sockets/examples/errors.ts
 */
import * as sys from '../index.ts';
import { connectedPair } from './connected-pair.ts';

const { fd: listener, at } = sys.openListener({ address: '127.0.0.1', port: 0 }, 16, true);
const { client, server } = connectedPair();
const socket = () => sys.socket(sys.AF_INET);
const byte = Buffer.alloc(1);

provoke('the port is in use by another server', () => sys.bind(socket(), at));
provoke('not an address of this machine', () =>
  sys.bind(socket(), { ...at, address: '192.0.2.1' }),
);
provoke('no connection yet', () => sys.getpeername(socket()));
sys.close(listener);
provoke('nobody listens there', () => sys.connect(socket(), at));
provoke('no route: TCP cannot reach it from here', () =>
  sys.connect(socket(), { ...at, address: '255.255.255.255' }),
);
sys.setNonBlocking(server);
provoke('nothing to receive now; poll says when', () => sys.recv(server, byte));
sys.send(client, byte);
sys.close(server); // with unread input: that sends a reset
provoke('the other end has reset the connection', () => sys.recv(client, byte));
provoke('broken pipe: we send, and the connection is gone', () => sys.send(client, byte));
sys.close(client);
provoke('not an open descriptor: it was closed already', () => sys.recv(client, byte));

function provoke(meaning: string, call: () => unknown): void {
  let outcome: string;
  try {
    outcome = call() === sys.WOULD_BLOCK ? 'WOULD_BLOCK (EAGAIN)' : 'no error';
  } catch (error) {
    const { syscall, code } = error as sys.SocketError;
    outcome = `${syscall} ${code}`;
  }
  console.log(`${outcome.padEnd(22)} ${meaning}`);
}
