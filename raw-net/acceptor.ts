/** Accepts new clients, and adds them to the loop's table unless there are too many. No call in here waits. */
import * as sys from '../sockets/index.ts';
import { Connection } from './connection.ts';
import type { Shared } from './shared.ts';

/** The most clients that are accepted in one turn of the loop, because the others wait meanwhile. */
export const ACCEPTS_IN_A_TURN = 64;

/** What the loop waits for: its clients, and its listeners or not. */
export interface Table {
  readonly isAccepting: boolean;
  /** While it is off, new clients wait in the backlog. */
  setAccepting(yes: boolean): void;
  add(connection: Connection): void;
}

export class Acceptor {
  readonly #table: Table;
  readonly #shared: Shared;

  constructor(table: Table, shared: Shared) {
    this.#table = table;
    this.#shared = shared;
  }

  /** Accepts clients from a listener's backlog. */
  acceptFrom(listener: number): void {
    for (let i = 0; i < ACCEPTS_IN_A_TURN && this.#table.isAccepting; i++) {
      let fd: number;
      try {
        fd = sys.accept(listener);
      } catch (error) {
        this.#shared.cannotAccept((error as Error).message);
        // The listener stays readable. If it were asked about again at once, the loop would spin.
        this.#shared.isPaused = true;
        this.#table.setAccepting(false);
        return;
      }
      if (fd < 0) return;
      if (!this.#shared.admit(fd)) continue;
      sys.setNonBlocking(fd);
      this.#add(new Connection(fd, this.#shared));
    }
  }

  #add(connection: Connection): void {
    try {
      this.#table.add(connection);
    } catch (error) {
      if (!(error instanceof sys.SocketError)) throw error;
      connection.close(error.code); // epoll watches no more descriptors (ENOSPC)
    }
  }

  /** Asks about the listeners again: a client has left, or some time has passed. */
  resume(): void {
    if (!this.#shared.isPaused || this.#shared.stoppedAt !== undefined) return;
    this.#shared.isPaused = false;
    this.#table.setAccepting(true);
  }
}
