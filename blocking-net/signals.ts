/**
 * Signals, for a process that waits in system calls.
 *
 * Node handles signals in its event loop, which a blocked process does not run. A signal interrupts a call
 * that is waiting (EINTR), and then the loop can run. But when a signal comes just before the call, libuv's
 * handler only records it, and the call waits nevertheless: accept, recv and send cannot check for signals
 * and sleep in one step, as ppoll(2) can. So every call waits for 250 ms at most, and then the loop runs.
 * This is the only purpose of the wake-ups; a model's core.ts, which handles no signals, has none.
 */
import { setTimeout as pause } from 'node:timers/promises';
import * as sys from '../sockets/index.ts';
import { BUSY_MS, type Interruptions } from './interruptions.ts';

export class Signals implements Interruptions {
  readonly wakeUpMs: number;
  stoppedAt: number | undefined;
  #handledAt = performance.now();

  /** @param wakeUpMs - how long a call waits at most; longer where whoever sends the signal repeats it */
  constructor(wakeUpMs = 250) {
    this.wakeUpMs = wakeUpMs;
  }

  get areDue(): boolean {
    return performance.now() - this.#handledAt > BUSY_MS;
  }

  /** To be called by the handler of the signal that ends the server. */
  stop(): void {
    this.stoppedAt ??= performance.now();
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
