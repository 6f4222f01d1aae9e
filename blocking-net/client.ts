/**
 * The one client that a process or thread serves: its socket, its unfinished line, and how long it may keep
 * the program waiting.
 */
import { LineFramer } from '../echo/framing.ts';
import type { ConnectionLog } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { GRACE_MS } from '../echo/shutdown.ts';
import * as sys from '../sockets/index.ts';
import { elapsedSinceStop, type Interruptions } from './interruptions.ts';

/** What one recv(2) takes at most, in bytes. */
const RECEIVE_SIZE = 512 * 1024;

/** How often a time limit is checked. */
const LOOK_MS = 250;

/** The options that concern one client. */
export type ClientOptions = Pick<
  Options,
  'maxLine' | 'idleTimeout' | 'endOfLine' | 'work' | 'wait'
>;

/** The receive buffer of all clients, one after another: room for the longest unfinished line, then for new bytes. */
export function receiveBuffer({ maxLine }: ClientOptions): Buffer {
  return Buffer.allocUnsafeSlow(maxLine + RECEIVE_SIZE);
}

/** The connection is to be closed; the message says why. */
export class Ended extends Error {}

export class Client {
  readonly framer: LineFramer;
  /** Bytes. */
  received = 0;
  /** Bytes. */
  sent = 0;
  /** When a byte last moved, or the client last waited for an answer, by `performance.now()`. */
  #idleSince = performance.now();
  /** Bytes that the client had not acknowledged at the last check. */
  #unacknowledged = 0;
  /** How long a call on the socket waits at most, in milliseconds; 0: for ever, as the kernel begins. */
  #waitsAtMost = 0;
  readonly #fd: number;
  readonly #options: ClientOptions;
  readonly #interruptions: Interruptions;
  readonly #log: Pick<ConnectionLog, 'unfinished'>;

  constructor(
    fd: number,
    options: ClientOptions,
    interruptions: Interruptions,
    log: Pick<ConnectionLog, 'unfinished'>,
  ) {
    this.#fd = fd;
    this.#log = log;
    this.#options = options;
    this.#interruptions = interruptions;
    this.framer = new LineFramer(options.endOfLine, options.maxLine);
  }

  /**
   * Waits in recv(2) for bytes.
   *
   * @returns how many there are in `buffer`, from `maxLine` on; 0 after the client's FIN; below 0
   *   when a signal or the timeout ended the wait
   * @throws SocketError ECONNRESET, ETIMEDOUT …
   */
  receive(buffer: Buffer): number {
    this.#waitAtMost(this.#patience);
    const received = sys.recv(this.#fd, buffer, this.#options.maxLine, RECEIVE_SIZE);
    if (received > 0) {
      this.received += received;
      this.isActive();
    }
    return received;
  }

  /**
   * Waits in send(2) for room.
   *
   * @returns how many bytes the kernel has taken: mostly all, and 0 when a signal or the timeout ended the wait
   * @throws SocketError EPIPE, ECONNRESET …
   */
  send(buffer: Buffer, start: number, end: number): number {
    const sent = sys.send(this.#fd, buffer, start, end - start);
    if (sent < 0) return 0;
    this.sent += sent;
    this.isActive();
    return sent;
  }

  /** A byte has moved, or the client waits for its answer. */
  isActive(): void {
    this.#idleSince = performance.now();
  }

  /**
   * To be called before work is done for the client: it would be for nobody.
   *
   * @throws SocketError ECONNRESET when the client has reset the connection
   */
  expectPresent(): void {
    const error = sys.getsockopt(this.#fd, sys.SO_ERROR);
    if (error !== 0) throw new sys.SocketError('recv', error);
  }

  /**
   * Waits in nanosleep(2), for one line.
   *
   * @throws Ended when the server has to stop
   */
  async sleep(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    for (let rest = milliseconds; rest > 0; rest = end - performance.now()) {
      sys.nanosleep(Math.min(rest, this.#interruptions.wakeUpMs));
      await this.#interruptions.handle();
      if (elapsedSinceStop(this.#interruptions) > GRACE_MS) throw new Ended('the server stops');
    }
    this.isActive();
  }

  /**
   * Handles signals, and looks at the clock.
   *
   * @throws Ended when the client has been idle, or the server is to stop, for too long
   */
  async betweenWaits(): Promise<void> {
    await this.#interruptions.handle();
    this.#log.unfinished(this.framer);
    const { idleTimeout } = this.#options;
    if (idleTimeout > 0 && this.#idleFor() >= idleTimeout) throw new Ended('idle');
    if (elapsedSinceStop(this.#interruptions) > GRACE_MS) throw new Ended('the server stops');
    this.#waitAtMost(this.#patience);
  }

  /** Milliseconds. Output that the client acknowledges counts as movement, even if send(2) finds no room yet. */
  #idleFor(): number {
    const unacknowledged = sys.unacknowledged(this.#fd) ?? 0;
    if (unacknowledged < this.#unacknowledged) this.isActive();
    this.#unacknowledged = unacknowledged;
    return performance.now() - this.#idleSince;
  }

  /**
   * Sends our FIN and waits for the client's. Closing with unread input would reset the connection, and the
   * client could lose answers that are on their way.
   *
   * @returns the reason, for the log
   */
  async finish(buffer: Buffer, reason: string): Promise<string> {
    const deadline = (this.#interruptions.stoppedAt ?? performance.now()) + GRACE_MS;
    try {
      sys.shutdown(this.#fd, sys.SHUT_WR);
      this.#waitAtMost(100);
      while (sys.recv(this.#fd, buffer) !== 0 && performance.now() < deadline) {
        await this.#interruptions.handle();
      }
    } catch (error) {
      // The client has reset the connection. That ends it, too, but the reason is another one.
      if (!(error instanceof sys.SocketError)) throw error;
    }
    return reason;
  }

  /** How long the next call may wait, in milliseconds. */
  get #patience(): number {
    const { stoppedAt, wakeUpMs } = this.#interruptions;
    // After a signal, only input that has come already is answered: a call does not wait any more.
    if (stoppedAt !== undefined) return 1;
    const { idleTimeout } = this.#options;
    const hasLimit = idleTimeout > 0 || this.framer.tailHasBareLf;
    return Math.min(idleTimeout || wakeUpMs, hasLimit ? LOOK_MS : wakeUpMs);
  }

  #waitAtMost(milliseconds: number): void {
    if (milliseconds === this.#waitsAtMost) return;
    this.#waitsAtMost = milliseconds;
    sys.setsockopt(this.#fd, sys.SO_RCVTIMEO, milliseconds);
    sys.setsockopt(this.#fd, sys.SO_SNDTIMEO, milliseconds);
  }
}
