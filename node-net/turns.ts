/**
 * A queue for turns of the event loop.
 *
 * Node runs all `setImmediate` callbacks that are due before it looks for input again. So if many callers
 * await `setImmediate` at once, they all run in the same turn. Here each caller gets a turn of its own:
 * between two of them the loop accepts, reads, and handles signals.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves in a turn of the event loop after those of all earlier callers. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) this.#schedule();
    });
  }

  /** Twice: the first callback may run in the turn in which the line came. By the second, the loop has read. */
  #schedule(): void {
    setImmediate(() => setImmediate(this.#give));
  }

  readonly #give = () => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#schedule();
  };
}
