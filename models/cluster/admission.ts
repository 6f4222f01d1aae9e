/**
 * `--max-connections` for all workers together: each asks the primary before it takes a client. One
 * message there and one back for each connection, and only when there is a limit.
 */
import type { Worker } from 'node:cluster';
import type { Admission } from '../../node-net/index.ts';

export type Question = { readonly ask: number } | { readonly release: true };
type Answer = { readonly ask: number; readonly admitted: boolean };

/** Counts, in the primary, what the workers have open. */
export class Gatekeeper {
  readonly #limit: number;
  readonly #open = new Map<Worker, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts, and answers a question. */
  answer(worker: Worker, message: Question): void {
    const open = this.#open.get(worker) ?? 0;
    if ('ask' in message) {
      const admitted = this.#total < this.#limit;
      if (admitted) this.#open.set(worker, open + 1);
      worker.send({ ask: message.ask, admitted } satisfies Answer);
    } else if ('release' in message) {
      this.#open.set(worker, open - 1);
    }
  }

  /** A worker has died, and its connections with it. */
  forget(worker: Worker): void {
    this.#open.delete(worker);
  }

  get #total(): number {
    let total = 0;
    for (const open of this.#open.values()) total += open;
    return total;
  }
}

/** Asks the primary, from a worker. */
export function remoteAdmission(): Admission {
  const waiting = new Map<number, (admitted: boolean) => void>();
  let asked = 0;
  process.on('message', (message: Answer | string) => {
    if (typeof message === 'string') return;
    waiting.get(message.ask)?.(message.admitted);
    waiting.delete(message.ask);
  });
  const tell = (question: Question) => process.send?.(question);
  return {
    admit() {
      const ask = ++asked;
      tell({ ask });
      return new Promise((resolve) => waiting.set(ask, resolve));
    },
    release() {
      tell({ release: true });
    },
  };
}
