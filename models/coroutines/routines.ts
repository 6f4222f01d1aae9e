/** The system calls as routines: each reads as if it blocked, and only its own task waits. */
import * as sys from '../../sockets/index.ts';
import type { Routine } from './scheduler.ts';

/** Takes the next client out of the backlog, and waits for one if it has to. @throws SocketError EMFILE … */
export function* accept(listener: number): Routine<number> {
  for (;;) {
    const fd = sys.accept(listener);
    if (fd >= 0) return fd;
    yield { fd: listener, events: sys.POLLIN };
  }
}

/** Waits for bytes. @returns how many came; 0 after the client's FIN */
export function* receive(fd: number, buffer: Buffer, offset = 0): Routine<number> {
  for (;;) {
    yield { fd, events: sys.POLLIN };
    const received = sys.recv(fd, buffer, offset);
    if (received >= 0) return received;
  }
}

/** Sends what there is room for, and waits for room for the rest. Returns how much it sent so far. */
export function* send(fd: number, bytes: Buffer): Routine {
  for (let sent = 0; ; ) {
    sent += Math.max(0, sys.send(fd, bytes, sent));
    if (sent === bytes.length) return;
    yield { fd, events: sys.POLLOUT };
  }
}

/** Waits for a time; with 0, for the turn of the others that have something to do. */
export function* sleep(milliseconds: number): Routine {
  yield { sleep: milliseconds };
}
