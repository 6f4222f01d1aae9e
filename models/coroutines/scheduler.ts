/**
 * What async and await are made of. A task is a generator: it runs until it has to wait, and `yield` says for
 * what. The scheduler asks epoll(7), and calls the generator's `next` when that has come. There is one stack
 * for the scheduler, and none for a task that waits: its local variables are kept in the generator.
 */
import os from 'node:os';
import { EPOLLERR, EPOLLHUP, Epoll } from '../../sockets/epoll.ts';
import { SocketError } from '../../sockets/index.ts';

const { ECONNRESET } = os.constants.errno;

/** What a task waits for: a descriptor that is ready, or some milliseconds. */
export type Wait = { readonly fd: number; readonly events: number } | { readonly sleep: number };

/** A part of a task's program: it may wait, and returns a result. Called with `yield*`. */
export type Routine<Result = void> = Generator<Wait, Result, void>;

/** A program, where it stands, and what it waits for. */
export interface Task {
  readonly program: Routine;
  wait: Wait | undefined;
}

export class Scheduler {
  readonly #epoll = new Epoll();
  /** By descriptor: the task that waits for it or did so last, and what the kernel was asked. */
  readonly #tasks: (Task | undefined)[] = [];
  readonly #asked: (number | undefined)[] = [];
  /** Tasks that sleep, in the order in which they wake up. */
  readonly #sleepers: { readonly task: Task; readonly until: number }[] = [];

  /** Starts a program; it runs until it first waits. */
  start(program: Routine): Task {
    const task: Task = { program, wait: undefined };
    this.#resume(task);
    return task;
  }

  /** Throws an error into a task, at the place where it waits. */
  interrupt(task: Task, error: Error): void {
    const index = this.#sleepers.findIndex((each) => each.task === task);
    if (index >= 0) this.#sleepers.splice(index, 1);
    this.#resume(task, error);
  }

  /** A descriptor was closed: the kernel has forgotten it, too. */
  forget(fd: number): void {
    this.#asked[fd] = undefined;
    this.#tasks[fd] = undefined;
  }

  /**
   * Waits until something has come that a task waits for, and lets those tasks go on.
   *
   * @param timeout - milliseconds at most
   */
  turn(timeout: number): void {
    const next = Math.min(timeout, (this.#sleepers[0]?.until ?? Infinity) - performance.now());
    const ready = this.#epoll.wait(next < Infinity ? Math.max(0, Math.ceil(next)) : -1);
    for (let i = 0; i < ready; i++) {
      const fd = this.#epoll.data(i);
      const task = this.#tasks[fd] as Task;
      const isBroken = (this.#epoll.events(i) & (EPOLLERR | EPOLLHUP)) !== 0;
      if (task.wait && 'fd' in task.wait) this.#resume(task);
      else if (isBroken) this.interrupt(task, new SocketError('recv', ECONNRESET));
      else this.#ask(fd, 0); // it does not wait for that now
    }
    const [sleeper] = this.#sleepers;
    if (!sleeper || sleeper.until > performance.now()) return;
    this.#sleepers.shift(); // one in each turn: between two long lines the others are served
    this.#resume(sleeper.task);
  }

  /** Runs a task until it waits again. */
  #resume(task: Task, error?: Error): void {
    task.wait = undefined;
    const { done, value } = error ? task.program.throw(error) : task.program.next();
    if (done) return;
    task.wait = value;
    if ('sleep' in value) {
      this.#sleep(task, value.sleep);
    } else {
      this.#tasks[value.fd] = task;
      this.#ask(value.fd, value.events);
    }
  }

  #sleep(task: Task, milliseconds: number): void {
    const until = performance.now() + milliseconds;
    const index = this.#sleepers.findLastIndex((each) => each.until <= until) + 1;
    this.#sleepers.splice(index, 0, { task, until });
  }

  /** Level-triggered: the kernel repeats itself until it is asked something else. */
  #ask(fd: number, events: number): void {
    if (this.#asked[fd] === undefined) this.#epoll.add(fd, events);
    else if (this.#asked[fd] !== events) this.#epoll.modify(fd, events);
    this.#asked[fd] = events;
  }
}
