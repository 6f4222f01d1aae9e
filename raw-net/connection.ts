/**
 * One client of a loop that waits for readiness, in poll(2) or in epoll_wait(2): what to do when its socket
 * is ready, and what to wait for next. No call in here waits.
 */
import { linesOf } from '../echo/framing.ts';
import { burn } from '../echo/work.ts';
import * as sys from '../sockets/index.ts';
import { RECEIVE_SIZE } from './shared.ts';
import { TimedConnection } from './timed-connection.ts';

export class Connection extends TimedConnection {
  /** Its place in the poll table, where there is one. */
  index = -1;
  /** Whether it is in the `LineQueue`. */
  isQueued = false;
  /** What send(2) did not take, from `#pendingStart` on. */
  #pending: Buffer | undefined;
  #pendingStart = 0;
  /** With `--work` and `--wait`: the line that is answered next, and the lines after it. */
  #line: Buffer | undefined;
  #moreLines: Generator<Buffer> | undefined;

  /** What to wait for: POLLIN, POLLOUT or neither. EPOLLIN and EPOLLOUT are the same numbers. */
  get events(): number {
    if (this.#pending) return sys.POLLOUT;
    return this.#line ? 0 : sys.POLLIN;
  }

  override get hasLine(): boolean {
    return this.#line !== undefined;
  }

  /** Whether there is a line to answer, and room to send it. */
  get isLineNext(): boolean {
    return this.#line !== undefined && !this.#pending && !this.closed;
  }

  override get isSending(): boolean {
    return this.#pending !== undefined;
  }

  /** The socket is ready for what `events` asked. */
  ready(): void {
    if (this.#pending) this.#send(this.#pending, this.#pendingStart, this.#pending.length);
    else if (this.isLingering) this.#discard();
    else this.#receive();
  }

  #receive(): void {
    const { options, linesCost, receiveBuffer } = this.shared;
    const received = sys.recv(this.fd, receiveBuffer, options.maxLine, RECEIVE_SIZE);
    if (received < 0) return;
    if (received === 0) {
      this.close('end of input');
      return;
    }
    const { start, end } = this.frame(received);
    if (linesCost && end > start) {
      // A copy, because the buffer is used for the next client before these lines are answered.
      this.#moreLines = linesOf(copyOf(receiveBuffer, start, end), options.endOfLine);
      this.#line = this.#moreLines.next().value;
    } else if (end > start) {
      this.#send(receiveBuffer, start, end);
    }
    this.endIfDone();
  }

  /** With `--work` and `--wait`: works for one line, which has waited, and answers it. */
  answerLine(): void {
    const line = this.#line;
    if (!line) return;
    const { options, speed } = this.shared;
    if (options.work > 0) burn(line, options.work, speed);
    this.#line = this.#moreLines?.next().value;
    this.#send(line, 0, line.length);
  }

  /** Sends what the kernel takes now, and keeps what it does not. */
  #send(bytes: Buffer, start: number, end: number): void {
    const sent = this.transmit(bytes, start, end);
    if (start + sent === end) {
      this.#pending = undefined;
      this.endIfDone();
    } else if (bytes === this.#pending) {
      this.#pendingStart += sent;
    } else {
      this.#pending = copyOf(bytes, start + sent, end);
      this.#pendingStart = 0;
    }
  }

  #discard(): void {
    if (sys.recv(this.fd, this.shared.receiveBuffer) === 0) this.close('end of input');
  }

  /** Closes at once. */
  override close(reason: string): void {
    if (!this.closed) this.closeNow(reason);
  }
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
