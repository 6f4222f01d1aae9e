/** What all connections of one server share, and when their clocks have to be looked at. */
import type { ConnectionLog, Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { measureSpeed } from '../echo/work.ts';
import * as sys from '../sockets/index.ts';
import type { TimedConnection } from './timed-connection.ts';

/** What one recv(2) takes at most, in bytes. In bulk, the larger the fewer calls. */
export const RECEIVE_SIZE = 512 * 1024;

export class Shared {
  readonly options: Options;
  readonly log: Log;
  /** Of `burn`. */
  readonly speed: number;
  /** Whether a line is answered by itself, later: with `--work` or `--wait`. */
  readonly linesCost: boolean;
  /** How many connections have sent their FIN and wait for the client's. */
  lingering = 0;
  /** Connections that the log may have a hint for: bare LFs wait in them. */
  readonly withBareLf = new Set<TimedConnection>();
  /** Whether accept has failed for want of descriptors, and is to be tried again. */
  isOutOfDescriptors = false;
  /** When a signal said that the server is to stop, by `performance.now()`. */
  stoppedAt: number | undefined;
  readonly #idleSweepMs: number;
  #nextSweep = 0;

  constructor(options: Options, log: Log) {
    this.options = options;
    this.log = log;
    this.speed = options.work > 0 ? measureSpeed() : 0;
    this.linesCost = options.work > 0 || options.wait > 0;
    this.#idleSweepMs = Math.min(Math.ceil(options.idleTimeout / 4), 1000) || Infinity;
  }

  /**
   * Admits a new client, or turns it away and closes its socket: `--max-connections`.
   *
   * @param open - how many clients there are
   * @returns what the log wants to know later; undefined when it was turned away
   */
  admit(fd: number, open: number): ConnectionLog | undefined {
    this.isOutOfDescriptors = false;
    const { maxConnections } = this.options;
    const peer = () => sys.peerOf(fd);
    if (open < maxConnections) return this.log.connected(peer);
    this.log.refused(peer, `${maxConnections} connections are open`);
    sys.close(fd);
    return undefined;
  }

  /** There is no descriptor for a new client: the log says so once. @param error - `accept EMFILE` */
  cannotAccept(error: string): void {
    if (!this.isOutOfDescriptors) this.log.notice(`no new clients until one leaves: ${error}`);
    this.isOutOfDescriptors = true;
  }

  /** The receive buffer of all connections, with room in front of the new bytes for the longest unfinished line. */
  receiveBuffer(): Buffer {
    return Buffer.allocUnsafeSlow(this.options.maxLine + RECEIVE_SIZE);
  }

  /** A signal came: the clocks are looked at in the next turn. */
  stop(): void {
    this.stoppedAt = performance.now();
    this.#nextSweep = 0;
  }

  /** Milliseconds after which somebody's clock has to be looked at; `Infinity` when nobody has one. */
  get sweepInterval(): number {
    if (this.stoppedAt !== undefined) return 10;
    if (this.lingering > 0) return Math.min(this.#idleSweepMs, 100);
    if (this.withBareLf.size > 0) return Math.min(this.#idleSweepMs, 500);
    return this.isOutOfDescriptors ? Math.min(this.#idleSweepMs, 1000) : this.#idleSweepMs;
  }

  /**
   * Looks at the clocks, if it is time: idleness, lingering, hints and the end have their limits.
   *
   * @returns whether it was; then the caller checks its connections, one by one
   */
  isSweepDue(now: number): boolean {
    if (this.sweepInterval === Infinity || now < this.#nextSweep) return false;
    this.#nextSweep = now + Math.max(this.sweepInterval, 10);
    for (const each of this.withBareLf) each.hint();
    return true;
  }
}
