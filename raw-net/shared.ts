/** What all connections of one server share, and when their time limits have to be checked. */
import { LineFramer } from '../echo/framing.ts';
import { Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { measureSpeed } from '../echo/work.ts';
import * as sys from '../sockets/index.ts';
import { Connections } from './connections.ts';
import type { TimedConnection } from './timed-connection.ts';

/** What one recv(2) takes at most, in bytes. In bulk, the larger the fewer calls. */
export const RECEIVE_SIZE = 512 * 1024;

/** How long no client is accepted after accept has failed, unless a client leaves. */
const RETRY_MS = 1000;

export class Shared<Client extends TimedConnection = TimedConnection> {
  readonly options: Options;
  readonly log: Log;
  /** For `burn`. */
  readonly speed: number;
  /** Whether a line is answered by itself, later: with `--work` or `--wait`. */
  readonly linesCost: boolean;
  readonly connections = new Connections<Client>();
  /** How many connections have sent their FIN and wait for the client's. */
  lingering = 0;
  /** Connections whose unfinished line has a bare LF: the log may hint at `--eol lf`. */
  readonly withBareLf = new Set<Client>();
  /** Whether the loop accepts nobody until a client leaves or `RETRY_MS` have passed: no descriptor was free. */
  isPaused = false;
  /** When a signal said that the server is to stop, by `performance.now()`. */
  stoppedAt: number | undefined;
  readonly #idleSweepMs: number;
  #hasSaidPaused = false;
  #receiveBuffer: Buffer | undefined;
  #spareFramer: LineFramer | undefined;
  #nextSweep = 0;

  constructor(options: Options) {
    this.options = options;
    this.log = new Log(options);
    this.speed = options.work > 0 ? measureSpeed() : 0;
    this.linesCost = options.work > 0 || options.wait > 0;
    this.#idleSweepMs = Math.min(Math.ceil(options.idleTimeout / 4), 1000) || Infinity;
  }

  /** The receive buffer, with room in front of the new bytes for the longest unfinished line. */
  get receiveBuffer(): Buffer {
    this.#receiveBuffer ??= Buffer.allocUnsafeSlow(this.options.maxLine + RECEIVE_SIZE);
    return this.#receiveBuffer;
  }

  /** A framer, for a connection that has input. */
  takeFramer(): LineFramer {
    const { endOfLine, maxLine } = this.options;
    const framer = this.#spareFramer ?? new LineFramer(endOfLine, maxLine);
    this.#spareFramer = undefined;
    return framer;
  }

  /** Takes back a framer, for the next connection that has input. @param framer - one that is empty */
  giveBackFramer(framer: LineFramer): void {
    this.#spareFramer = framer;
  }

  /**
   * Whether a new client is admitted. If there are too many (`--max-connections`), its socket is closed.
   */
  admit(fd: number): boolean {
    this.#hasSaidPaused = false;
    const { maxConnections } = this.options;
    if (this.connections.size < maxConnections) return true;
    this.log.refused(`${maxConnections} connections are open`, sys.peerOf, fd);
    sys.close(fd);
    return false;
  }

  /** No descriptor is free for a new client: the log says so once. @param error - `accept EMFILE` */
  cannotAccept(error: string): void {
    if (!this.#hasSaidPaused) this.log.notice(`no new clients until one leaves: ${error}`);
    this.#hasSaidPaused = true;
  }

  /** Whether the loop goes on: until a signal has come and the last client has left. */
  get isServing(): boolean {
    return this.stoppedAt === undefined || this.connections.size > 0;
  }

  /** A signal came: the time limits are checked in the next turn. */
  stop(): void {
    this.stoppedAt = performance.now();
    this.#nextSweep = 0;
  }

  /** Milliseconds until the time limits have to be checked; `Infinity` when no connection has one. */
  get sweepInterval(): number {
    if (this.stoppedAt !== undefined) return 10;
    if (this.lingering > 0) return Math.min(this.#idleSweepMs, 100);
    if (this.withBareLf.size > 0) return Math.min(this.#idleSweepMs, 500);
    return this.isPaused ? Math.min(this.#idleSweepMs, RETRY_MS) : this.#idleSweepMs;
  }

  /**
   * For a call that waits: whole milliseconds until the time limits have to be checked; -1 for never.
   *
   * @param next - milliseconds until another deadline, which may be nearer
   */
  timeout(next = Infinity): number {
    const nearest = Math.min(next, this.sweepInterval);
    return nearest < Infinity ? Math.ceil(nearest) : -1;
  }

  /**
   * Whether it is time to check the time limits: for idleness, lingering, hints and the end of the server.
   *
   * @returns true when it is; then the caller checks its connections, one by one
   */
  isSweepDue(): boolean {
    if (this.sweepInterval === Infinity) return false;
    const now = performance.now();
    if (now < this.#nextSweep) return false;
    this.#nextSweep = now + Math.max(this.sweepInterval, 10);
    for (const each of this.withBareLf) each.hint();
    return true;
  }
}
