/**
 * One client of the poll loop: what to do when its socket is ready, and what to wait for next. No
 * call in here waits.
 */
import { LineFramer, linesOf } from '../../echo/framing.ts';
import type { ConnectionLog } from '../../echo/log.ts';
import type { Options } from '../../echo/options.ts';
import { DRAIN_MS, GRACE_MS } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import * as sys from '../../sockets/index.ts';

/** What one recv(2) takes at most, in bytes. In bulk, the larger the fewer calls. */
const RECEIVE_SIZE = 512 * 1024;

/** What all connections share. */
export class Shared {
  readonly options: Options;
  /** For `burn`. */
  readonly speed: number;
  /** Whether a line is answered by itself, later: with `--work` or `--wait`. */
  readonly linesCost: boolean;
  /** The receive buffer, with room in front of the new bytes for the longest unfinished line. */
  readonly receiveBuffer: Buffer;
  /** How many connections have sent their FIN and wait for the client's. */
  lingering = 0;
  /** Connections whose unfinished line has a bare LF: the log may hint at `--eol lf`. */
  readonly withBareLf = new Set<Connection>();
  /** When a signal said that the server is to stop, by `performance.now()`. */
  stoppedAt: number | undefined;

  constructor(options: Options) {
    this.options = options;
    this.speed = options.work > 0 ? measureSpeed() : 0;
    this.linesCost = options.work > 0 || options.wait > 0;
    this.receiveBuffer = Buffer.allocUnsafeSlow(options.maxLine + RECEIVE_SIZE);
  }
}

/** The state of one client between two turns of the loop. */
export class Connection {
  /** Its place in the poll table. */
  index = -1;
  /** Whether it is in the `LineQueue`. */
  isQueued = false;
  /** Whether its descriptor is closed. */
  closed = false;

  readonly #fd: number;
  readonly #shared: Shared;
  readonly #log: ConnectionLog;
  readonly #framer: LineFramer;
  /** What send(2) did not take, from `#pendingStart` on. */
  #pending: Buffer | undefined;
  #pendingStart = 0;
  /** With `--work` and `--wait`: the line that is answered next, and the lines after it. */
  #line: Buffer | undefined;
  #moreLines: Generator<Buffer> | undefined;
  /** Why the connection is being ended; undefined while it is not. */
  #ending: string | undefined;
  /** When our FIN was sent. Further input is discarded until the client's FIN. */
  #lingersSince: number | undefined;
  #received = 0;
  #sent = 0;
  /** At the last check for idleness: bytes received and sent in all, and bytes not acknowledged. */
  #bytes = -1;
  #unacknowledged = 0;
  /** When a byte last moved, or the client last waited for an answer, by `performance.now()`. */
  #idleSince = 0;

  /** @param fd - a connected socket, non-blocking */
  constructor(fd: number, shared: Shared, log: ConnectionLog) {
    this.#fd = fd;
    this.#shared = shared;
    this.#log = log;
    this.#framer = new LineFramer(shared.options.endOfLine, shared.options.maxLine);
  }

  /** What to ask poll(2) about this socket. */
  get events(): number {
    if (this.#pending) return sys.POLLOUT;
    return this.#line ? 0 : sys.POLLIN;
  }

  /** With `--work` and `--wait`: whether there is a line to answer, and room to send it. */
  get hasLine(): boolean {
    return this.#line !== undefined && !this.#pending && !this.closed;
  }

  /** poll(2) said that the socket is ready for what `events` asked. */
  ready(): void {
    if (this.#pending) this.#transmit(this.#pending, this.#pendingStart, this.#pending.length);
    else if (this.#lingersSince !== undefined) this.#discard();
    else this.#receive();
  }

  #receive(): void {
    const { receiveBuffer, options, linesCost } = this.#shared;
    const received = sys.recv(this.#fd, receiveBuffer, options.maxLine, RECEIVE_SIZE);
    if (received < 0) return;
    if (received === 0) {
      this.close('end of input');
      return;
    }
    this.#received += received;
    const newEnd = options.maxLine + received;
    const { start, end } = this.#framer.frame(receiveBuffer, options.maxLine, newEnd);
    if (linesCost && end > start) {
      // A copy, because the receive buffer is used for the next client before these lines are answered.
      this.#moreLines = linesOf(copyOf(receiveBuffer, start, end), options.endOfLine);
      this.#line = this.#moreLines.next().value;
    } else if (end > start) {
      this.#transmit(receiveBuffer, start, end);
    }
    if (this.#framer.tailHasBareLf) this.hint();
    if (this.#framer.overlong) this.end(this.#framer.overlongReason);
  }

  /** Lets the log hint at `--eol lf`, if the bare LF has waited long enough; else asks for another call. */
  hint(): void {
    const needsAnother = Number.isFinite(this.#log.unfinished(this.#framer));
    if (needsAnother) this.#shared.withBareLf.add(this);
    else this.#shared.withBareLf.delete(this);
  }

  /** With `--work` and `--wait`: works for one line, which has waited, and answers it. */
  answerLine(): void {
    const line = this.#line;
    if (!line) return;
    const { options, speed } = this.#shared;
    if (options.work > 0) burn(line, options.work, speed);
    this.#line = this.#moreLines?.next().value;
    this.#transmit(line, 0, line.length);
  }

  /** Sends what the kernel takes now, and keeps what it does not. */
  #transmit(bytes: Buffer, start: number, end: number): void {
    const sent = Math.max(0, sys.send(this.#fd, bytes, start, end - start));
    this.#sent += sent;
    if (start + sent === end) {
      this.#pending = undefined;
      this.#endIfDone();
    } else if (bytes === this.#pending) {
      this.#pendingStart += sent;
    } else {
      this.#pending = copyOf(bytes, start + sent, end);
      this.#pendingStart = 0;
    }
  }

  /** Reads no more, and ends the connection when all pending output has been sent. */
  end(reason: string): void {
    this.#ending ??= reason;
    this.#endIfDone();
  }

  #endIfDone(): void {
    const isDone = this.#ending !== undefined && !this.#pending && !this.#line;
    if (!isDone || this.#lingersSince !== undefined) return;
    sys.shutdown(this.#fd, sys.SHUT_WR);
    this.#lingersSince = performance.now();
    this.#shared.lingering++;
  }

  /** Discards input: closing with unread input would reset the connection, and the client could lose answers. */
  #discard(): void {
    if (sys.recv(this.#fd, this.#shared.receiveBuffer) === 0) this.close('end of input');
  }

  /**
   * Ends the connection if it has been idle, or has lingered, for too long. After a signal, ends it when it is
   * done, and at the latest after `GRACE_MS`.
   *
   * @param now - by `performance.now()`
   * @param hasInput - whether poll has reported input that has not been received yet
   */
  checkTime(now: number, hasInput: boolean): void {
    const { stoppedAt, options } = this.#shared;
    const isIdle = options.idleTimeout > 0 && this.#idleFor(now) >= options.idleTimeout;
    if (now - (this.#lingersSince ?? now) > GRACE_MS) this.close('end of input');
    else if (isIdle) this.close('idle');
    else if (stoppedAt !== undefined) this.#wrapUp(now - stoppedAt, hasInput);
  }

  /**
   * Milliseconds. Output that the client acknowledges counts as movement: a slow reader takes a while until a
   * third of the send buffer is free, and POLLOUT does not come before.
   */
  #idleFor(now: number): number {
    const bytes = this.#received + this.#sent;
    if (bytes !== this.#bytes || this.#unacknowledged > 0) {
      const unacknowledged = sys.unacknowledged(this.#fd) ?? 0;
      if (bytes !== this.#bytes || unacknowledged < this.#unacknowledged) this.#idleSince = now;
      this.#bytes = bytes;
      this.#unacknowledged = unacknowledged;
    }
    if (this.#line) this.#idleSince = now;
    return now - this.#idleSince;
  }

  /** After the signal: ends the connection when no input and no output is left, and in any case in time. */
  #wrapUp(elapsed: number, hasInput: boolean): void {
    const isDone = !hasInput && !this.#pending && !this.#line;
    if (elapsed > GRACE_MS) this.close('the server stops');
    else if (isDone || elapsed > DRAIN_MS) this.end('the server stops');
  }

  /** Closes at once. @param reason - for the log, unless the connection was being ended already */
  close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    if (this.#lingersSince !== undefined) this.#shared.lingering--;
    this.#shared.withBareLf.delete(this);
    sys.close(this.#fd);
    const [received, sent] = [this.#received, this.#sent];
    this.#log.closed({ reason: this.#ending ?? reason, received, sent, framer: this.#framer });
  }
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
