/**
 * epoll-loop, the model and nothing else: a reactor. The kernel keeps the list of sockets, and each wait, in
 * epoll_wait(2), returns those that are ready. It listens on IPv4 only; index.ts listens on ::1 as well.
 */
import { EPOLLIN, EPOLLOUT, Epoll } from '../../sockets/epoll.ts';
import * as sys from '../../sockets/index.ts';

const at = { address: '127.0.0.1', port: Number(process.env.PORT ?? 12321) };
const listener = sys.openListener(at);
sys.setNonBlocking(listener.fd); // a client that has left before the accept must not make it wait
console.log(`epoll-loop core listening on 127.0.0.1:${listener.at.port} (pid ${process.pid})`);

type Client = { unfinished: Buffer; pending: Buffer };
const clients = new Map<number, Client>(); // by their descriptors
const chunk = Buffer.alloc(65536);
const epoll = new Epoll();
epoll.add(listener.fd, EPOLLIN);

for (;;) {
  const ready = epoll.wait(-1); // the only place that waits
  for (let i = 0; i < ready; i++) {
    const fd = epoll.data(i);
    if (fd === listener.fd) admit(sys.accept(fd));
    else attend(fd, clients.get(fd) as Client);
  }
}

function admit(fd: number): void {
  if (fd < 0) return; // the one who came has left already
  sys.setNonBlocking(fd);
  epoll.add(fd, EPOLLIN);
  clients.set(fd, { unfinished: Buffer.alloc(0), pending: Buffer.alloc(0) });
}

/** Does what is possible now, and tells the kernel what to wait for next: room or input, never both. */
function attend(fd: number, client: Client): void {
  try {
    if (client.pending.length === 0) {
      const length = sys.recv(fd, chunk);
      if (length === 0) throw new Error('end of input');
      const input = Buffer.concat([client.unfinished, chunk.subarray(0, Math.max(length, 0))]);
      const end = input.includes('\r\n') ? input.lastIndexOf('\r\n') + 2 : 0;
      [client.pending, client.unfinished] = [input.subarray(0, end), input.subarray(end)];
    }
    client.pending = client.pending.subarray(Math.max(sys.send(fd, client.pending), 0));
    epoll.modify(fd, client.pending.length > 0 ? EPOLLOUT : EPOLLIN); // this is the backpressure
  } catch {
    sys.close(fd); // end of input, or a reset; the kernel removes it from its list
  }
}
