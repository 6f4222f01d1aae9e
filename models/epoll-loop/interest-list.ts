/**
 * The kernel's interest list. Unlike poll's table, it stays in the kernel between two waits, so each change takes
 * a system call. What the kernel was told is kept here, so that nothing is told twice.
 */
import type { Table } from '../../raw-net/acceptor.ts';
import type { Connection } from '../../raw-net/connection.ts';
import { EPOLLIN, Epoll } from '../../sockets/epoll.ts';
import * as sys from '../../sockets/index.ts';

/**
 * The most sockets that one wait returns. It should exceed the number of clients: after a signal, a client counts
 * as done if the wait has not returned its socket.
 */
const MOST_READY = 65_536;

export class InterestList implements Table {
  readonly epoll = new Epoll(MOST_READY);
  /** Node's own event loop, which has a descriptor, too. */
  readonly eventLoop = sys.eventLoopDescriptor();
  isAccepting = true;
  readonly #listeners: readonly number[];
  readonly #told: number[] = []; // by descriptor

  /** @param listeners - descriptors, non-blocking */
  constructor(listeners: readonly number[]) {
    this.#listeners = listeners;
    for (const fd of [this.eventLoop, ...listeners]) this.epoll.add(fd, EPOLLIN);
  }

  /** Adds a client. The kernel removes its descriptor when that is closed. */
  add({ fd, events }: Connection): void {
    this.epoll.add(fd, events);
    this.#told[fd] = events;
  }

  /** Tells the kernel what a client waits for, if that has changed. */
  update({ fd, events }: Connection): void {
    if (this.#told[fd] === events) return;
    this.epoll.modify(fd, events);
    this.#told[fd] = events;
  }

  /** While the kernel is not asked about the listeners, new clients wait in the backlog. */
  setAccepting(yes: boolean): void {
    this.isAccepting = yes;
    for (const fd of this.#listeners) this.epoll.modify(fd, yes ? EPOLLIN : 0);
  }
}
