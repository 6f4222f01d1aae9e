/**
 * poll-loop, the model and nothing else: a reactor. One loop waits for all sockets at once, in poll(2),
 * and no other call waits. It listens on IPv4 only; index.ts listens on ::1 as well.
 */
import * as sys from '../../sockets/index.ts';

const at = { address: '127.0.0.1', port: Number(process.env.PORT ?? 12321) };
const listener = sys.openListener(at);
sys.setNonBlocking(listener.fd); // a client that has left before the accept must not make it wait
console.log(`poll-loop core listening on 127.0.0.1:${listener.at.port} (pid ${process.pid})`);

type Client = { unfinished: Buffer; pending: Buffer };
const clients = new Map<number, Client>(); // by their descriptors
const table = new sys.PollTable();
table.add(listener.fd, sys.POLLIN);
const chunk = Buffer.alloc(65536);

for (;;) {
  table.poll(-1); // the only place that waits
  // From the end: the last entry takes the place of one that is removed.
  for (let i = table.length - 1; i > 0; i--) {
    if (table.revents(i) === 0) continue;
    table.setEvents(i, attend(table.fd(i), clients.get(table.fd(i)) as Client));
    if (table.events(i) === 0) sys.close(table.remove(i)); // the client has left
  }
  if (table.revents(0) === 0) continue; // entry 0 is the listener
  const fd = sys.accept(listener.fd);
  if (fd < 0) continue; // the one who came has left already
  sys.setNonBlocking(fd);
  table.add(fd, sys.POLLIN);
  clients.set(fd, { unfinished: Buffer.alloc(0), pending: Buffer.alloc(0) });
}

/** Does what is possible now. Returns what to wait for next: room or input, never both; 0 at the end. */
function attend(fd: number, client: Client): number {
  try {
    if (client.pending.length === 0) {
      const length = sys.recv(fd, chunk);
      if (length === 0) return 0;
      const input = Buffer.concat([client.unfinished, chunk.subarray(0, Math.max(length, 0))]);
      const end = input.includes('\r\n') ? input.lastIndexOf('\r\n') + 2 : 0;
      client.pending = input.subarray(0, end);
      client.unfinished = input.subarray(end);
    }
    client.pending = client.pending.subarray(Math.max(sys.send(fd, client.pending), 0));
    return client.pending.length > 0 ? sys.POLLOUT : sys.POLLIN; // this is the backpressure
  } catch {
    return 0; // the client has reset the connection
  }
}
