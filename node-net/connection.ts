import { GRACE_MS } from '../echo/shutdown.ts';
import { Peer } from './peer.ts';

/**
 * Where a connection stands:
 *
 * - `reading`: every complete line that was received has been answered.
 * - `answering`: an answer is outstanding, and the socket is paused. This is the backpressure.
 * - `lingering`: no more lines are answered. Our FIN follows the output that is pending; then input is
 *   thrown away until the client's FIN, because closing with unread input would reset the connection, and
 *   the client could lose answers that are on their way.
 */
export type Phase = 'reading' | 'answering' | 'lingering';

/**
 * A client whose connection goes from phase to phase, without the concurrency: that is the model's. The
 * model listens to `socket`, feeds `framer` and writes the answers. It calls `hold` when an answer takes
 * time, and `settle` when every complete line has been answered.
 */
export class Connection extends Peer {
  #phase: Phase = 'reading';

  get phase(): Phase {
    return this.#phase;
  }

  /** Whether an answer is outstanding. */
  get owesAnswer(): boolean {
    return this.#phase === 'answering';
  }

  /** Whether the client can still be answered. */
  get isOpen(): boolean {
    return !this.socket.destroyed && this.#phase !== 'lingering';
  }

  /** Backpressure: an answer is outstanding, so nothing more is read. */
  hold(): void {
    if (this.#phase !== 'reading') return;
    this.#phase = 'answering';
    this.socket.pause();
  }

  /**
   * Every complete line has been answered: reads on. Or ends the connection, if the client has sent its
   * FIN, if a line has grown beyond `--max-line`, or if `end` was called meanwhile.
   */
  settle(): void {
    if (!this.isOpen) return;
    this.hintIfDue();
    if (this.framer.overlong) this.reason ??= this.framer.overlongReason;
    const isOver = this.reason !== undefined || this.socket.readableEnded;
    if (isOver) {
      this.#linger();
    } else if (this.#phase === 'answering') {
      this.#phase = 'reading';
      this.socket.resume();
    }
  }

  /** Ends the connection as soon as no answer is outstanding. */
  end(reason: string): void {
    this.reason ??= reason;
    if (this.isOpen && this.#phase === 'reading') this.#linger();
  }

  protected override endOfInput(): void {
    if (this.#phase === 'reading') this.#linger();
  }

  #linger(): void {
    const { socket } = this;
    this.#phase = 'lingering';
    socket.removeAllListeners('data');
    socket.pause();
    socket.end(() => {
      if (socket.readableEnded) return; // both sides have ended: Node closes the socket
      socket.resume();
      const timer = setTimeout(() => socket.destroy(), GRACE_MS);
      socket.once('close', () => clearTimeout(timer));
    });
  }
}
