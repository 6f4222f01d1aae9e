/**
 * `--max-connections` for all workers together. If there is a limit, a worker asks the primary about each new
 * client: one message there and one back.
 */
import type { Worker } from 'node:cluster';
import type { Admission } from '../../node-net/index.ts';

export type Question = { readonly ask: number } | { readonly release: true };
type Answer = { readonly ask: number; readonly admitted: boolean };

/** In the primary: counts the open connections of all workers. */
export class SharedLimit {
  readonly #limit: number;
  readonly #open = new Map<Worker, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Answers whether a client may be admitted, or counts one that has left. */
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

  /** To be called when a worker has died: its connections are closed. */
  forget(worker: Worker): void {
    this.#open.delete(worker);
  }

  get #total(): number {
    let total = 0;
    for (const open of this.#open.values()) total += open;
    return total;
  }
}

/** In a worker: asks the primary. */
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
