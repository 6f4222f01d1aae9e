/**
 * A queue for turns of the event loop.
 *
 * Node runs all `setImmediate` callbacks that are due before it looks for input again. So if many callers
 * await `setImmediate` at once, they all run in the same turn. Here each caller gets a turn of its own:
 * between two of them the loop accepts, reads, and handles signals.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Calls back in a turn of the event loop after those of all earlier callers. */
  call(back: () => void): void {
    if (this.#waiting.push(back) === 1) this.#schedule();
  }

  /** As `call`, for callers that await. */
  next(): Promise<void> {
    return new Promise((resolve) => this.call(resolve));
  }

  /** Twice: the first callback may run in the turn in which the line came. By the second, the loop has read. */
  #schedule(): void {
    setImmediate(() => setImmediate(this.#give));
  }

  readonly #give = () => {
    const back = this.#waiting.shift();
    if (this.#waiting.length > 0) this.#schedule();
    back?.(); // last: it may call for another turn
  };
}
