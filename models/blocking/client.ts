/**
 * The one client that is being served: its socket, its unfinished line, and how long it may keep the
 * process waiting.
 */
import { LineFramer } from '../../echo/framing.ts';
import type { Options } from '../../echo/options.ts';
import { GRACE_MS } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';
import type { Signals } from './signals.ts';

/** Milliseconds that a call waits at most before the process looks whether a signal came. */
export const PATIENCE = 250;

/** What one recv(2) takes at most, in bytes. */
const RECEIVE_SIZE = 512 * 1024;

/** One buffer serves for ever, with room in front of the new bytes for the longest unfinished line. */
export function receiveBuffer({ maxLine }: Options): Buffer {
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
  /** When bytes last moved, or a line of its was last worked on, by `performance.now()`. */
  activeAt = performance.now();
  readonly #fd: number;
  readonly #options: Options;
  readonly #signals: Signals;

  constructor(fd: number, options: Options, signals: Signals) {
    this.#fd = fd;
    this.#options = options;
    this.#signals = signals;
    this.framer = new LineFramer(options.endOfLine, options.maxLine);
  }

  /** Sets how long a call may wait, and that answers are not held back. */
  setUp(): void {
    sys.setsockopt(this.#fd, sys.TCP_NODELAY, 1);
    this.#waitAtMost(Math.min(this.#options.idleTimeout || PATIENCE, PATIENCE));
  }

  /**
   * Waits in recv(2) for bytes.
   *
   * @returns how many there are in `memory`, from the longest line's length on; 0 after the client's
   *   FIN; below 0 when the wait was broken off
   * @throws SocketError ECONNRESET, ETIMEDOUT …
   */
  receive(memory: Buffer): number {
    const received = sys.recv(this.#fd, memory, this.#options.maxLine, RECEIVE_SIZE);
    if (received > 0) {
      this.received += received;
      this.activeAt = performance.now();
    }
    return received;
  }

  /**
   * Waits in send(2) for room.
   *
   * @returns how much the kernel has taken: mostly everything, and nothing when the wait was broken off
   * @throws SocketError EPIPE, ECONNRESET …
   */
  send(memory: Buffer, start: number, end: number): number {
    const sent = sys.send(this.#fd, memory, start, end - start);
    if (sent < 0) return 0;
    this.sent += sent;
    this.activeAt = performance.now();
    return sent;
  }

  /**
   * Between two waits: lets signals in.
   *
   * @throws Ended when the client has been silent, or the server is to stop, for too long
   */
  async lookAround(): Promise<void> {
    await this.#signals.letIn();
    const { idleTimeout } = this.#options;
    const isIdle = idleTimeout > 0 && performance.now() - this.activeAt >= idleTimeout;
    if (isIdle) throw new Ended('idle');
    if (this.#signals.elapsed > GRACE_MS) throw new Ended('the server stops');
    // Only what has come already is still answered.
    if (this.#signals.stoppedAt !== undefined) this.#waitAtMost(1);
  }

  /**
   * Sends our FIN and waits for the client's: to close with unread input would reset the connection,
   * and cost the client what is on its way to it.
   *
   * @returns the reason, for the log
   */
  async finish(memory: Buffer, reason: string): Promise<string> {
    sys.shutdown(this.#fd, sys.SHUT_WR);
    this.#waitAtMost(100);
    const deadline = (this.#signals.stoppedAt ?? performance.now()) + GRACE_MS;
    try {
      while (sys.recv(this.#fd, memory) !== 0 && performance.now() < deadline) {
        await this.#signals.letIn();
      }
    } catch (error) {
      // A reset is an end, too, and not the reason.
      if (!(error instanceof sys.SocketError)) throw error;
    }
    return reason;
  }

  #waitAtMost(milliseconds: number): void {
    sys.setsockopt(this.#fd, sys.SO_RCVTIMEO, milliseconds);
    sys.setsockopt(this.#fd, sys.SO_SNDTIMEO, milliseconds);
  }
}
