/** Waiting for an exact moment: epoll_wait(2) counts in milliseconds, and the kernel adds up to 50 µs. */
import { EPOLLIN, Epoll } from '../../sockets/epoll.ts';
import { addressOf, cFunction } from '../../sockets/libc.ts';

const ppoll = cFunction('int ppoll(uintptr_t, unsigned long, uintptr_t, uintptr_t)');
const prctl = cFunction('int prctl(int, unsigned long)');

const PR_SET_TIMERSLACK = 29;

export class PreciseEpoll extends Epoll {
  /** One pollfd, then one timespec: what ppoll(2) wants. */
  readonly #sleep = Buffer.allocUnsafeSlow(24).fill(0);
  readonly #sleepAddress = addressOf(this.#sleep);

  constructor() {
    super();
    this.#sleep.writeInt32LE(this.fd, 0);
    this.#sleep.writeInt16LE(EPOLLIN, 4);
    prctl(PR_SET_TIMERSLACK, 1); // nanoseconds
  }

  /** As `wait`, to the nanosecond. @param timeout - milliseconds, also fractions of one */
  waitPrecisely(timeout: number): number {
    if (timeout > 0) {
      const nanoseconds = Math.round(timeout * 1e6);
      this.#sleep.writeBigInt64LE(BigInt(Math.floor(nanoseconds / 1e9)), 8);
      this.#sleep.writeBigInt64LE(BigInt(nanoseconds % 1e9), 16);
      ppoll(this.#sleepAddress, 1, this.#sleepAddress + 8, 0);
    }
    return this.wait(0);
  }
}
