/**
 * coroutines, the model and nothing else: each client has a program that reads as if it blocked. It is a
 * generator, and `yield` waits. It listens on IPv4 only; index.ts listens on ::1 as well.
 */
import * as sys from '../../sockets/index.ts';
import { type Routine, Scheduler } from './scheduler.ts';

const at = { address: '127.0.0.1', port: Number(process.env.PORT ?? 12321) };
const listener = sys.openListener(at);
sys.setNonBlocking(listener.fd); // a client that has left before the accept must not make it wait
console.log(`coroutines core listening on 127.0.0.1:${listener.at.port} (pid ${process.pid})`);

const chunk = Buffer.alloc(65536);
const scheduler = new Scheduler();
scheduler.start(listener.fd, listen());
for (;;) scheduler.turn(Infinity); // the only place where the process waits

/** The program of the listener. */
function* listen(): Routine {
  for (;;) {
    yield sys.POLLIN; // waits for a client
    const fd = sys.accept(listener.fd);
    if (fd >= 0) scheduler.start(fd, serve(fd));
  }
}

/** The program of a client. */
function* serve(fd: number): Routine {
  sys.setNonBlocking(fd);
  let unfinished = Buffer.alloc(0);
  try {
    for (;;) {
      yield sys.POLLIN; // waits for bytes
      const length = sys.recv(fd, chunk);
      if (length === 0) break;
      const input = Buffer.concat([unfinished, chunk.subarray(0, Math.max(length, 0))]);
      const end = input.includes('\r\n') ? input.lastIndexOf('\r\n') + 2 : 0;
      unfinished = input.subarray(end);
      for (let sent = 0; sent < end; ) {
        sent += Math.max(sys.send(fd, input, sent, end - sent), 0);
        if (sent < end) yield sys.POLLOUT; // waits for room: this is the backpressure
      }
    }
  } catch {} // the client has reset the connection
  sys.close(fd);
}
