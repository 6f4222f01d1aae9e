/**
 * What async and await are made of. A task is a generator: it runs until it has to wait, and `yield` says for
 * what. The scheduler asks epoll(7), and resumes the generator when that has come. While a task waits it needs
 * no stack: the generator keeps its local variables.
 */
import { Epoll } from '../../sockets/epoll.ts';
import * as sys from '../../sockets/index.ts';
import { ECONNRESET } from '../../sockets/libc.ts';

/** What a task waits for: POLLIN or POLLOUT on its descriptor, or for some milliseconds to pass. */
type Wait = number | { readonly sleep: number };

/** The program of a task, or a part of it that is called with `yield*`: it may wait. */
export type Routine = Generator<Wait, void, void>;

export class Scheduler {
  readonly #epoll = new Epoll(65_536); // one wait returns all that are ready
  // By descriptor: a task's program, and what the kernel was asked about the descriptor: 0 while the task sleeps.
  readonly #programs: (Routine | undefined)[] = [];
  readonly #events: (number | undefined)[] = [];
  readonly #sleepers: { fd: number; wakesAt: number }[] = []; // in the order in which they wake up

  /** Starts a program, which runs until it waits. At its end it has to close its descriptor. */
  start(fd: number, program: Routine): void {
    this.#programs[fd] = program;
    this.#events[fd] = undefined;
    try {
      this.resume(fd);
    } catch (error) {
      this.#programs[fd] = undefined;
      program.throw(error); // epoll watches no more descriptors (ENOSPC): its first wait fails
    }
  }

  /** Lets a task go on until it waits again. @param error - is thrown at the `yield` in which it waits */
  resume(fd: number, error?: Error): void {
    const program = this.#programs[fd] as Routine;
    const told = this.#events[fd];
    const sleeps = told === 0 ? this.#sleepers.findIndex((sleeper) => sleeper.fd === fd) : -1;
    if (sleeps >= 0) this.#sleepers.splice(sleeps, 1);
    const { done, value } = error ? program.throw(error) : program.next();
    if (done) {
      this.#programs[fd] = undefined;
      return;
    }
    const events = typeof value === 'number' ? value : 0;
    if (told === undefined) this.#epoll.add(fd, events);
    else if (told !== events) this.#epoll.modify(fd, events);
    this.#events[fd] = events;
    if (typeof value === 'number') return;
    const sleeper = { fd, wakesAt: performance.now() + value.sleep };
    const index = this.#sleepers.findLastIndex(({ wakesAt }) => wakesAt <= sleeper.wakesAt) + 1;
    this.#sleepers.splice(index, 0, sleeper);
  }

  /** Waits until a task can go on, for `timeout` milliseconds at most, and resumes each task that can. */
  turn(timeout: number): void {
    const wakesAt = this.#sleepers[0]?.wakesAt ?? Infinity;
    const next = Math.max(0, Math.min(timeout, wakesAt - performance.now()));
    const ready = this.#epoll.wait(next < Infinity ? Math.ceil(next) : -1);
    for (let i = 0; i < ready; i++) {
      const fd = this.#epoll.data(i);
      // While a task sleeps, the kernel reports one thing only: the connection is broken.
      const isBroken = this.#events[fd] === 0;
      this.resume(fd, isBroken ? new sys.SocketError('recv', ECONNRESET) : undefined);
    }
    const [sleeper] = this.#sleepers; // one in each turn: the others are served between two long lines
    if (sleeper && sleeper.wakesAt <= performance.now()) this.resume(sleeper.fd);
  }
}
