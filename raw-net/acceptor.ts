/** New clients: out of the backlog, into the loop's table, unless there are too many. No call in here waits. */
import * as sys from '../sockets/index.ts';
import { Connection } from './connection.ts';
import type { Shared } from './shared.ts';

/** New clients taken in one turn of the loop at most: those who are connected wait meanwhile. */
const ACCEPTS_IN_A_TURN = 64;

/** The loop's clients, and whether it asks about its listeners. */
export interface Table {
  /** How many clients there are. */
  readonly open: number;
  readonly isAccepting: boolean;
  /** While it is off, new clients wait in the backlog. */
  setAccepting(yes: boolean): void;
  add(connection: Connection): void;
}

export class Acceptor {
  readonly #table: Table;
  readonly #shared: Shared;
  readonly #buffer: Buffer;

  constructor(table: Table, shared: Shared) {
    this.#table = table;
    this.#shared = shared;
    this.#buffer = shared.receiveBuffer();
  }

  /** Takes clients out of a listener's backlog. */
  acceptFrom(listener: number): void {
    for (let i = 0; i < ACCEPTS_IN_A_TURN && this.#table.isAccepting; i++) {
      let fd: number;
      try {
        fd = sys.accept(listener);
      } catch (error) {
        this.#shared.cannotAccept((error as Error).message);
        // The listener stays readable: to ask about it again at once would spin.
        this.#table.setAccepting(false);
        return;
      }
      if (fd < 0) return;
      const log = this.#shared.admit(fd, this.#table.open);
      if (!log) continue;
      sys.setNonBlocking(fd);
      this.#table.add(new Connection(fd, this.#shared, this.#buffer, log));
    }
  }

  /** Asks about the listeners again: a client has left, or some time has passed. */
  resume(): void {
    const isStopping = this.#shared.stoppedAt !== undefined;
    if (!this.#table.isAccepting && !isStopping) this.#table.setAccepting(true);
  }
}
