/**
 * The kernel's interest list, and the client behind each descriptor in it. Unlike poll's table it outlives
 * the wait, so the kernel has to be told of every change, with a system call; what was told is kept here,
 * so that it is told nothing twice.
 */
import type { Table } from '../../raw-net/acceptor.ts';
import type { Connection } from '../../raw-net/connection.ts';
import { EPOLLIN, Epoll } from '../../sockets/epoll.ts';
import * as sys from '../../sockets/index.ts';

export class InterestList implements Table {
  readonly epoll = new Epoll();
  /** Node's own event loop, which has a descriptor, too. */
  readonly eventLoop = sys.eventLoopDescriptor();
  /** How many clients there are. */
  open = 0;
  isAccepting = true;
  readonly #listeners: readonly number[];
  // Descriptors are small numbers, each the lowest that is free: they make good indices.
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
    this.open++;
  }

  /** Tells the kernel what a client waits for, if that has changed. */
  update({ fd, events }: Connection): void {
    if (this.#told[fd] === events) return;
    this.epoll.modify(fd, events);
    this.#told[fd] = events;
  }

  /** A client has left. The kernel has dropped its descriptor, because it is closed. */
  remove({ fd }: Connection): void {
    this.#connections[fd] = undefined;
    this.open--;
  }

  /** The clients as they are now, in a list that does not change when one leaves. */
  all(): readonly Connection[] {
    return this.#connections.filter((each) => each !== undefined);
  }

  setAccepting(yes: boolean): void {
    this.isAccepting = yes;
    for (const fd of this.#listeners) this.epoll.modify(fd, yes ? EPOLLIN : 0);
  }

  /** New clients are refused from now on. */
  closeListeners(): void {
    this.isAccepting = false;
    for (const fd of this.#listeners) sys.close(fd);
  }
}
