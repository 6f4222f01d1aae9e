/** Which new clients are admitted, and a notice when there is no descriptor for the next one. */
import { closeSync, openSync } from 'node:fs';
import type { Log } from '../echo/log.ts';

/** Decides whether a new client is admitted. */
export interface Admission {
  admit(): boolean | Promise<boolean>;
  /** To be called when the connection of an admitted client has closed. */
  release(): void;
}

/** A semaphore: a number of permits, one for each client that is inside. Whoever finds none does not wait. */
export class Semaphore implements Admission {
  #permits: number;

  /** @param permits - 1 or more; `Infinity` for no limit */
  constructor(permits: number) {
    this.#permits = permits;
  }

  admit(): boolean {
    if (this.#permits === 0) return false;
    this.#permits--;
    return true;
  }

  release(): void {
    this.#permits++;
  }
}

/**
 * Notices that this process has no descriptor left. libuv then accepts each new client with a spare
 * descriptor and closes it at once, and Node reports neither. So after an accept this tries to open a file.
 */
export class DescriptorWatch {
  readonly #log: Log;
  #isOutOfDescriptors = false;
  #mostClients = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Checks whether there is a descriptor for the next client. It does so only when there are as many
   * clients as there have ever been, or when there was none the last time.
   *
   * @param clients - how many are connected
   */
  check(clients: number): void {
    if (clients < this.#mostClients && !this.#isOutOfDescriptors) return;
    this.#mostClients = clients;
    try {
      closeSync(openSync('/dev/null', 'r'));
      this.#isOutOfDescriptors = false;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EMFILE' && code !== 'ENFILE') return;
      const notice = 'no descriptor is left: new clients are turned away until one leaves';
      if (!this.#isOutOfDescriptors) this.#log.notice(`${notice} (${code})`);
      this.#isOutOfDescriptors = true;
    }
  }
}
