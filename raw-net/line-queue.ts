/**
 * With `--wait` and `--work`: whose line is answered next. A line first waits, at the same time as the others,
 * and then takes its turn on the one thread. All lines wait equally long, so the line that began first is due
 * first: the deadlines are a queue, and its head is the nearest one.
 */
import type { Connection } from './connection.ts';

export class LineQueue {
  readonly #waitMs: number;
  readonly #waiting: { readonly connection: Connection; readonly dueAt: number }[] = [];
  readonly #due: Connection[] = [];

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Lets the next line of a connection begin to wait. Each connection is in the queue at most once. */
  add(connection: Connection): void {
    connection.isQueued = true;
    if (this.#waitMs === 0) this.#due.push(connection);
    else this.#waiting.push({ connection, dueAt: performance.now() + this.#waitMs });
  }

  /** Milliseconds until a line is due; `Infinity` when none waits. */
  get timeout(): number {
    if (this.#due.length > 0) return 0;
    const [head] = this.#waiting;
    return head ? Math.max(head.dueAt - performance.now(), 0) : Number.POSITIVE_INFINITY;
  }

  /** Takes the connection whose line has been due longest; undefined when none is due. */
  take(): Connection | undefined {
    if (this.#waiting.length > 0) this.#collect(performance.now());
    let next = this.#due.shift();
    while (next?.closed) next = this.#due.shift(); // no work for a client that has left
    if (next) next.isQueued = false;
    return next;
  }

  #collect(now: number): void {
    const stillWaiting = this.#waiting.findIndex(({ dueAt }) => dueAt > now);
    const due = this.#waiting.splice(0, stillWaiting < 0 ? this.#waiting.length : stillWaiting);
    for (const { connection } of due) this.#due.push(connection);
  }
}
