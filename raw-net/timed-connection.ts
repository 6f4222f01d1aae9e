/**
 * A connection with its time limits. What it does with its bytes is up to the model. When it has to end is the same
 * for all models: when it has been idle or has lingered for too long, or when the server stops.
 */
import type { LineFramer, Run, Tail } from '../echo/framing.ts';
import type { ConnectionLog } from '../echo/log.ts';
import { DRAIN_MS, GRACE_MS } from '../echo/shutdown.ts';
import * as sys from '../sockets/index.ts';
import { IdleTime } from './idle-time.ts';
import type { Shared } from './shared.ts';

/** Of a connection whose input has ended with the end of a line. */
const NO_TAIL: Tail = { tailLength: 0, tailHasBareLf: false };

export abstract class TimedConnection {
  readonly fd: number;
  /** Whether its descriptor is closed. */
  closed = false;
  protected readonly shared: Shared;
  /** Bytes so far. */
  protected received = 0;
  protected sent = 0;
  /** Whether it has received or sent bytes since the last check: then there may be more to receive. */
  protected wasReady = false;
  /** Why the connection is being ended; undefined while it is not. */
  protected ending: string | undefined;
  readonly #log: ConnectionLog;
  /** Keeps an unfinished line; undefined while there is none, so that a silent client costs less memory. */
  #framer: LineFramer | undefined;
  /** When our FIN was sent. Further input is discarded until the client's FIN. */
  #lingersSince: number | undefined;
  /** With `--idle-timeout`, from the first check on. */
  #idleTime: IdleTime | undefined;

  /** @param fd - a connected socket */
  constructor(fd: number, shared: Shared) {
    this.fd = fd;
    this.shared = shared;
    this.#log = shared.log.connected(sys.peerOf, fd);
    shared.connections.add(this);
  }

  /** Whether a line of this client is waiting or working: the client waits for the server, so it is not idle. */
  abstract readonly hasLine: boolean;
  /** Whether output is pending. */
  abstract readonly isSending: boolean;

  /** Closes. @param reason - for the log, unless the connection was being ended already */
  abstract close(reason: string): void;

  /**
   * Finds the complete lines in the receive buffer.
   *
   * @param received - how many bytes were received, behind `--max-line` bytes of room
   */
  protected frame(received: number): Run {
    const { receiveBuffer, options } = this.shared;
    this.wasReady = true;
    this.received += received;
    const framer = this.takeFramer();
    const run = framer.frame(receiveBuffer, options.maxLine, options.maxLine + received);
    this.keepFramer(framer);
    return run;
  }

  /** What cuts the next input into lines; it has the unfinished line that came before. */
  protected takeFramer(): LineFramer {
    return this.#framer ?? this.shared.takeFramer();
  }

  /**
   * To be called after `takeFramer`, when the framer has been given the input: keeps it if a line is unfinished.
   * A line that is too long ends the connection, when `endIfDone` is called.
   */
  protected keepFramer(framer: LineFramer): void {
    this.#framer = framer.isEmpty ? undefined : framer;
    if (framer.isEmpty) this.shared.giveBackFramer(framer);
    if (framer.tailHasBareLf) this.hint();
    if (framer.overlong) this.ending ??= framer.overlongReason;
  }

  /** Sends what the kernel takes now. @returns how many bytes that was @throws SocketError EPIPE, ECONNRESET … */
  protected transmit(bytes: Buffer, start: number, end: number): number {
    const sent = Math.max(0, sys.send(this.fd, bytes, start, end - start));
    this.wasReady = true;
    this.sent += sent;
    return sent;
  }

  /** Reads no more, and ends the connection when all pending output has been sent. */
  end(reason: string): void {
    this.ending ??= reason;
    this.endIfDone();
  }

  /** Sends our FIN when no output is pending. Closing with unread input would reset the connection. */
  protected endIfDone(): void {
    const isDone = this.ending !== undefined && !this.isSending && !this.hasLine;
    if (!isDone || this.isLingering) return;
    this.#lingersSince = performance.now();
    this.shared.lingering++;
    try {
      sys.shutdown(this.fd, sys.SHUT_WR);
    } catch (error) {
      // The client has reset the connection: the next recv says so.
      if (!(error instanceof sys.SocketError)) throw error;
    }
  }

  /** Whether our FIN has been sent. Further input is discarded until the client's FIN. */
  get isLingering(): boolean {
    return this.#lingersSince !== undefined;
  }

  /**
   * Ends the connection if it has been idle, or has lingered, for too long. After a signal, ends it when it is
   * done, and at the latest after `GRACE_MS`.
   */
  checkTime(): void {
    const now = performance.now();
    const { stoppedAt, options } = this.shared;
    const stoppedFor = now - (stoppedAt ?? now);
    const isDone = !this.wasReady && !this.isSending && !this.hasLine;
    if (options.idleTimeout > 0) this.#idleTime ??= new IdleTime();
    const idleFor = this.#idleTime?.check(now, this.fd, this.received + this.sent, this.hasLine);
    if (now - (this.#lingersSince ?? now) > GRACE_MS) this.close('end of input');
    else if (idleFor !== undefined && idleFor >= options.idleTimeout) this.close('idle');
    else if (stoppedFor > GRACE_MS) this.close('the server stops');
    else if (stoppedAt !== undefined && (isDone || stoppedFor > DRAIN_MS))
      this.end('the server stops');
    this.wasReady = false;
  }

  /** Lets the log hint at `--eol lf`, if the bare LF has waited long enough; else asks for another call. */
  hint(): void {
    const needsAnother = Number.isFinite(this.#log.unfinished(this.#framer ?? NO_TAIL));
    if (needsAnother) this.shared.withBareLf.add(this);
    else this.shared.withBareLf.delete(this);
  }

  /** Gives the descriptor back, and tells the log. */
  protected closeNow(reason: string): void {
    this.closed = true;
    this.shared.connections.delete(this);
    if (this.isLingering) this.shared.lingering--;
    this.shared.withBareLf.delete(this);
    sys.close(this.fd);
    const { received, sent } = this;
    const framer = this.#framer ?? NO_TAIL;
    this.#log.closed({ reason: this.ending ?? reason, received, sent, framer });
  }
}
