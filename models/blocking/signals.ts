/**
 * Signals, for a process that waits in system calls.
 *
 * Node handles signals in its event loop, and a blocked process does not turn it. So no call waits for
 * ever, and between two waits the loop may turn. A loop that never waits because there is always
 * something to do has to let it turn as well.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { onShutdown } from '../../echo/shutdown.ts';

/** Milliseconds of unbroken work after which it is time to look whether a signal came. */
const ATTENTION = 20;

export class Signals {
  /** When a signal said that the server is to stop, by `performance.now()`. */
  stoppedAt: number | undefined;
  #lookedAt = performance.now();

  /** @param onStop - is told which signal came */
  constructor(onStop: (signal: NodeJS.Signals) => void) {
    onShutdown((signal) => {
      this.stoppedAt = performance.now();
      onStop(signal);
    });
  }

  /** Milliseconds since the signal; 0 before. */
  get elapsed(): number {
    return this.stoppedAt === undefined ? 0 : performance.now() - this.stoppedAt;
  }

  /** Whether nobody has looked for a while. */
  get areDue(): boolean {
    return performance.now() - this.#lookedAt > ATTENTION;
  }

  /** Lets Node's event loop turn. Its first turn may come too early. */
  async letIn(): Promise<void> {
    await turn();
    await turn();
    this.#lookedAt = performance.now();
  }
}
