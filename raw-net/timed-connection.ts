/**
 * A connection and its clock. What it does with its bytes is the model's affair; when it has to end is the
 * same for all: idle, lingering, or because the server stops.
 */
import { LineFramer } from '../echo/framing.ts';
import type { ConnectionLog } from '../echo/log.ts';
import { DRAIN_MS, GRACE_MS } from '../echo/shutdown.ts';
import * as sys from '../sockets/index.ts';
import type { Shared } from './shared.ts';

export abstract class TimedConnection {
  readonly fd: number;
  /** Whether it is over, and its descriptor closed. */
  closed = false;
  protected readonly shared: Shared;
  protected readonly framer: LineFramer;
  /** Bytes so far. */
  protected received = 0;
  protected sent = 0;
  /** Whether it has received since the clock was last looked at. */
  protected wasReady = false;
  /** Why nothing more is read, once that is so. */
  protected ending: string | undefined;
  readonly #log: ConnectionLog;
  /** When our FIN was sent; what still comes is thrown away until the client's. */
  #lingersSince: number | undefined;
  /** When the clock was last looked at: bytes in and out, how many of them were on their way, and since when nothing has moved. */
  #bytes = -1;
  #unacknowledged = 0;
  #idleSince = 0;

  constructor(fd: number, shared: Shared, log: ConnectionLog) {
    this.fd = fd;
    this.shared = shared;
    this.framer = new LineFramer(shared.options.endOfLine, shared.options.maxLine);
    this.#log = log;
  }

  /** Whether a line of this client is being paid for: it waits for the server, so it is not idle. */
  abstract readonly hasLine: boolean;
  /** Whether answers are on their way out. */
  abstract readonly isSending: boolean;

  /** Closes. @param reason - for the log, unless it was ending already */
  abstract close(reason: string): void;

  /** Reads no more, and ends the connection when what the client is owed has been sent. */
  end(reason: string): void {
    this.ending ??= reason;
    this.endIfDone();
  }

  /** Sends our FIN, once nothing is owed. To close with unread input would reset the connection. */
  protected endIfDone(): void {
    const isDone = this.ending !== undefined && !this.isSending && !this.hasLine;
    if (!isDone || this.isLingering) return;
    this.#lingersSince = performance.now();
    this.shared.lingering++;
    try {
      sys.shutdown(this.fd, sys.SHUT_WR);
    } catch (error) {
      // The client has reset the connection: the next reception says so.
      if (!(error instanceof sys.SocketError)) throw error;
    }
  }

  /** Whether our FIN is sent: what still comes is thrown away until the client's. */
  get isLingering(): boolean {
    return this.#lingersSince !== undefined;
  }

  /**
   * Ends the connection if it has been idle, or has lingered, for too long; after a signal, when it is
   * done, and at the latest when its grace is over.
   *
   * @param now - by `performance.now()`
   */
  checkTime(now: number): void {
    const { stoppedAt, options } = this.shared;
    const isIdle = options.idleTimeout > 0 && this.#idleFor(now) >= options.idleTimeout;
    if (now - (this.#lingersSince ?? now) > GRACE_MS) this.close('end of input');
    else if (isIdle) this.close('idle');
    else if (stoppedAt !== undefined) this.#wrapUp(now - stoppedAt);
    this.wasReady = false;
  }

  /**
   * Milliseconds. Bytes that the client acknowledges are bytes that move: POLLOUT says nothing of them
   * until a third of the send buffer is free, which takes a slow reader a while.
   */
  #idleFor(now: number): number {
    const bytes = this.received + this.sent;
    if (bytes !== this.#bytes || this.isSending) {
      const unacknowledged = sys.unacknowledged(this.fd) ?? 0;
      if (bytes !== this.#bytes || unacknowledged !== this.#unacknowledged) this.#idleSince = now;
      this.#bytes = bytes;
      this.#unacknowledged = unacknowledged;
    }
    if (this.hasLine) this.#idleSince = now;
    return now - this.#idleSince;
  }

  /** After the signal: ends when nobody owes anybody anything, and in any case in time. */
  #wrapUp(elapsed: number): void {
    const isDone = !this.wasReady && !this.isSending && !this.hasLine;
    if (elapsed > GRACE_MS) this.close('the server stops');
    else if (isDone || elapsed > DRAIN_MS) this.end('the server stops');
  }

  /** Lets the log hint at `--eol lf`, now or later. */
  hint(): void {
    const needsAnother = Number.isFinite(this.#log.unfinished(this.framer));
    if (needsAnother) this.shared.withBareLf.add(this);
    else this.shared.withBareLf.delete(this);
  }

  /** Gives the descriptor back, and tells the log. */
  protected closeNow(reason: string): void {
    this.closed = true;
    if (this.isLingering) this.shared.lingering--;
    this.shared.withBareLf.delete(this);
    sys.close(this.fd);
    const { received, sent, framer } = this;
    this.#log.closed({ reason: this.ending ?? reason, received, sent, framer });
  }
}
