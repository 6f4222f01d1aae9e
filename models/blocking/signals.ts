/**
 * Signals, for a process that waits in system calls.
 *
 * Node handles signals in its event loop, which a blocked process does not run. A signal interrupts a call
 * that is waiting (EINTR), and then the loop can run. But when a signal comes just before the call, libuv's
 * handler only records it, and the call waits nevertheless: accept, recv and send cannot check for signals
 * and sleep in one step, as ppoll(2) can. So every call waits for 250 ms at most, and then the loop runs.
 * This is the only purpose of the wake-ups; core.ts, which handles no signals, has none.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';

/** How long one call waits at most. */
export const WAKE_UP_MS = 250;

/** How long a process that always has something to do goes on before it runs the event loop. */
const BUSY_MS = 20;

export class Signals {
  /** When a signal said that the server is to stop, by `performance.now()`. */
  stoppedAt: number | undefined;
  #handledAt = performance.now();

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

  /** Whether the event loop has not run for a while. */
  get areDue(): boolean {
    return performance.now() - this.#handledAt > BUSY_MS;
  }

  /** Runs Node's event loop, in which signals are handled. */
  async handle(): Promise<void> {
    await sys.runEventLoop();
    this.#handledAt = performance.now();
  }

  /** Waits in the event loop, when there is no system call to wait in. */
  async pause(milliseconds: number): Promise<void> {
    await pause(milliseconds);
    this.#handledAt = performance.now();
  }
}
