/**
 * Turns of the event loop, one after another.
 *
 * Node runs all `setImmediate` callbacks that are due in one go, before it looks for input again: a turn
 * that everybody awaits at once is no turn for each. Here each waits for the one before, so between two
 * of them the loop accepts, reads, and hears signals.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when everybody who asked before has had a turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) this.#schedule();
    });
  }

  /** The first callback may run in the turn in which a line came; by the second, its sender may have left. */
  #schedule(): void {
    setImmediate(() => setImmediate(this.#give));
  }

  readonly #give = () => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#schedule();
  };
}
