/** With `--idle-timeout`: how long nothing has moved on one connection. */
import * as sys from '../sockets/index.ts';

export class IdleTime {
  /** At the last check: bytes received and sent in all, and bytes not acknowledged. */
  #bytes = -1;
  #unacknowledged = 0;
  /** When a byte last moved, or the client last waited for an answer, by `performance.now()`. */
  #since = 0;

  /**
   * Output that the client acknowledges counts as movement: a slow reader takes a while until a third of the
   * send buffer is free, and POLLOUT does not come before.
   *
   * @param now - by `performance.now()`
   * @param bytes - received and sent in all
   * @param isWaiting - whether the client waits for an answer: then it is not idle
   * @returns milliseconds
   */
  check(now: number, fd: number, bytes: number, isWaiting: boolean): number {
    if (bytes !== this.#bytes || this.#unacknowledged > 0) {
      const unacknowledged = sys.unacknowledged(fd) ?? 0;
      if (bytes !== this.#bytes || unacknowledged < this.#unacknowledged) this.#since = now;
      this.#bytes = bytes;
      this.#unacknowledged = unacknowledged;
    }
    if (isWaiting) this.#since = now;
    return now - this.#since;
  }
}
