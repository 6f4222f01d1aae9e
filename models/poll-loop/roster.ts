/**
 * Who stands behind each entry of the poll table: entry 0 is Node's own event loop; then come the
 * listeners, then the clients. Table and list of clients have no gaps, so an entry that is removed is
 * replaced by the last one.
 */
import * as sys from '../../sockets/index.ts';
import type { Connection } from './connection.ts';

/** The poll table, and whom its entries stand for. */
export class Roster {
  readonly table = new sys.PollTable();
  readonly #connections: Connection[] = [];
  readonly #firstConnection: number;
  #isAccepting = true;

  /** @param listeners - descriptors, non-blocking */
  constructor(listeners: readonly number[]) {
    this.table.add(sys.eventLoopDescriptor(), sys.POLLIN);
    for (const listener of listeners) this.table.add(listener, sys.POLLIN);
    this.#firstConnection = this.table.length;
  }

  /** How many clients there are. */
  get open(): number {
    return this.#connections.length;
  }

  /** The client behind an entry; undefined for the event loop and the listeners. */
  connectionAt(index: number): Connection | undefined {
    return this.#connections[index - this.#firstConnection];
  }

  add(fd: number, connection: Connection): void {
    connection.index = this.table.add(fd, connection.events);
    this.#connections.push(connection);
  }

  remove({ index }: Connection): void {
    this.table.remove(index);
    const last = this.#connections.pop() as Connection;
    if (last.index === index) return;
    this.#connections[index - this.#firstConnection] = last;
    last.index = index;
  }

  /** The clients as they are now, in a list that does not change when one leaves. */
  everybody(): readonly Connection[] {
    return [...this.#connections];
  }

  get isAccepting(): boolean {
    return this.#isAccepting;
  }

  /** While poll is not asked about the listeners, new clients wait in the backlog. */
  setAccepting(yes: boolean): void {
    this.#isAccepting = yes;
    for (let i = 1; i < this.#firstConnection; i++) this.table.setEvents(i, yes ? sys.POLLIN : 0);
  }

  /** New clients are refused from now on. */
  closeListeners(): void {
    this.#isAccepting = false;
    for (let i = 1; i < this.#firstConnection; i++) {
      sys.close(this.table.fd(i));
      this.table.disable(i);
    }
  }
}
