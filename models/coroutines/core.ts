/**
 * coroutines, the model and nothing else: each client has a generator that reads as if it blocked; `yield`
 * waits for a descriptor. It listens on IPv4 only; index.ts listens on ::1 as well.
 */
import { Epoll } from '../../sockets/epoll.ts';
import * as sys from '../../sockets/index.ts';

type Task = Generator<number, number, void>; // it yields the events that it waits for, and returns 0

function* serve(fd: number): Task {
  let unfinished: Buffer = Buffer.alloc(0);
  for (;;) {
    yield sys.POLLIN; // waits for bytes
    const length = sys.recv(fd, chunk);
    if (length === 0) return 0;
    const input = Buffer.concat([unfinished, chunk.subarray(0, Math.max(length, 0))]);
    const end = input.includes('\r\n') ? input.lastIndexOf('\r\n') + 2 : 0;
    unfinished = input.subarray(end);
    for (let sent = 0; sent < end; ) {
      sent += Math.max(sys.send(fd, input, sent, end - sent), 0);
      if (sent < end) yield sys.POLLOUT; // waits for room: this is the backpressure
    }
  }
}

function* accept(listener: number): Task {
  for (;;) {
    yield sys.POLLIN; // waits for a client
    const fd = sys.accept(listener);
    if (fd >= 0) start(fd, serve(fd));
  }
}

const chunk = Buffer.alloc(65536);
const epoll = new Epoll();
const tasks = new Map<number, Task>(); // by their descriptors

function start(fd: number, task: Task): void {
  sys.setNonBlocking(fd);
  epoll.add(fd, 0);
  tasks.set(fd, task);
  resume(fd, task);
}

/** Lets a task run until it waits, and tells the kernel for what. */
function resume(fd: number, task: Task): void {
  let events = 0;
  try {
    events = task.next().value;
  } catch {} // the client has reset the connection
  if (events) epoll.modify(fd, events);
  else sys.close(fd);
}

const at = { address: '127.0.0.1', port: Number(process.env.PORT ?? 12321) };
const listener = sys.openListener(at, 4096, false);
console.log(`coroutines core listening on 127.0.0.1:${listener.at.port} (pid ${process.pid})`);
start(listener.fd, accept(listener.fd));
for (;;) {
  const ready = epoll.wait(-1); // the only place that waits, for all of them
  for (let i = 0; i < ready; i++) resume(epoll.data(i), tasks.get(epoll.data(i)) as Task);
}
