/**
 * The poll table, and the client behind each of its entries. Entry 0 is Node's own event loop; then come
 * the listeners, then the clients, in the order in which they came. There are no gaps.
 */
import type { Table } from '../../raw-net/acceptor.ts';
import type { Connection } from '../../raw-net/connection.ts';
import * as sys from '../../sockets/index.ts';

export class ConnectionTable implements Table {
  readonly poll = new sys.PollTable();
  readonly #connections: Connection[] = [];
  readonly #firstConnection: number;
  #isAccepting = true;

  /** @param listeners - descriptors, non-blocking */
  constructor(listeners: readonly number[]) {
    this.poll.add(sys.eventLoopDescriptor(), sys.POLLIN);
    for (const listener of listeners) this.poll.add(listener, sys.POLLIN);
    this.#firstConnection = this.poll.length;
  }

  /** The client behind an entry; undefined for the event loop and the listeners. */
  connectionAt(index: number): Connection | undefined {
    return this.#connections[index - this.#firstConnection];
  }

  add(connection: Connection): void {
    connection.index = this.poll.add(connection.fd, connection.events);
    this.#connections.push(connection);
  }

  /**
   * Removes clients, and moves down those after them. So the order stays, and lines that came together are
   * answered in the order of their clients. It costs no more than one walk over the table.
   */
  remove(departed: ReadonlySet<Connection>): void {
    let to = Math.min(...[...departed].map(({ index }) => index));
    for (let from = to; from < this.poll.length; from++) {
      const connection = this.connectionAt(from) as Connection;
      if (departed.has(connection)) continue;
      this.poll.move(from, to);
      this.#connections[to - this.#firstConnection] = connection;
      connection.index = to++;
    }
    this.poll.length = to;
    this.#connections.length = to - this.#firstConnection;
  }

  get isAccepting(): boolean {
    return this.#isAccepting;
  }

  /** While poll is not asked about the listeners, new clients wait in the backlog. */
  setAccepting(yes: boolean): void {
    this.#isAccepting = yes;
    for (let i = 1; i < this.#firstConnection; i++) this.poll.setEvents(i, yes ? sys.POLLIN : 0);
  }

  /** Closes the listeners: new clients are refused from now on. */
  closeListeners(): void {
    this.#isAccepting = false;
    for (let i = 1; i < this.#firstConnection; i++) {
      sys.close(this.poll.fd(i));
      this.poll.disable(i);
    }
  }
}
