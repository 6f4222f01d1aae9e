/**
 * The kernel's interest list, and the client behind each descriptor in it. Unlike poll's table, the list stays
 * in the kernel between two waits, so each change takes a system call. What the kernel was told is kept here,
 * so that nothing is told twice.
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
  // By descriptor. Descriptors are small numbers, because each is the lowest that is free.
  readonly #connections: (Connection | undefined)[] = [];
  readonly #told: number[] = [];

  /** @param listeners - descriptors, non-blocking */
  constructor(listeners: readonly number[]) {
    this.#listeners = listeners;
    for (const fd of [this.eventLoop, ...listeners]) this.epoll.add(fd, EPOLLIN);
  }

  /** The client behind a descriptor; undefined for the event loop and the listeners. */
  connectionOf(fd: number): Connection | undefined {
    return this.#connections[fd];
  }

  add(connection: Connection): void {
    const { fd, events } = connection;
    this.epoll.add(fd, events);
    this.#connections[fd] = connection;
    this.#told[fd] = events;
  }

  /** Tells the kernel what a client waits for, if that has changed. */
  update({ fd, events }: Connection): void {
    if (this.#told[fd] === events) return;
    this.epoll.modify(fd, events);
    this.#told[fd] = events;
  }

  /** Removes a client. The kernel has removed its descriptor already, because it is closed. */
  remove({ fd }: Connection): void {
    this.#connections[fd] = undefined;
  }

  /** While the kernel is not asked about the listeners, new clients wait in the backlog. */
  setAccepting(yes: boolean): void {
    this.isAccepting = yes;
    for (const fd of this.#listeners) this.epoll.modify(fd, yes ? EPOLLIN : 0);
  }
}
