/** Accepts new clients, and adds them to the loop's table unless there are too many. No call in here waits. */
import * as sys from '../sockets/index.ts';
import { Connection } from './connection.ts';
import type { Shared } from './shared.ts';

/** The most clients that are accepted in one turn of the loop, because the others wait meanwhile. */
const ACCEPTS_IN_A_TURN = 64;

/**
 * Accepts clients from a listener's backlog, up to `ACCEPTS_IN_A_TURN` of them.
 *
 * @param start - is given the descriptor of each client that may stay
 * @param goesOn - whether another one may be accepted
 * @returns false when one could not be accepted: the listener stays readable, and a loop that asks about it
 *   again at once would spin
 */
export function acceptFrom(
  listener: number,
  shared: Shared,
  start: (fd: number) => void,
  goesOn: () => boolean = () => true,
): boolean {
  for (let i = 0; i < ACCEPTS_IN_A_TURN && goesOn(); i++) {
    let fd: number;
    try {
      fd = sys.accept(listener);
    } catch (error) {
      shared.cannotAccept((error as Error).message);
      return false;
    }
    if (fd < 0) return true;
    if (!shared.admit(fd)) continue;
    sys.setNonBlocking(fd);
    start(fd);
  }
  return true;
}

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
    if (acceptFrom(listener, this.#shared, this.#add, this.#isAccepting)) return;
    this.#shared.isPaused = true;
    this.#table.setAccepting(false);
  }

  // Two functions that are made once, not for each client.
  readonly #isAccepting = () => this.#table.isAccepting;
  readonly #add = (fd: number) => {
    const connection = new Connection(fd, this.#shared);
    try {
      this.#table.add(connection);
    } catch (error) {
      if (!(error instanceof sys.SocketError)) throw error;
      connection.close(error.code); // epoll watches no more descriptors (ENOSPC)
    }
  };

  /** Asks about the listeners again: a client has left, or some time has passed. */
  resume(): void {
    if (!this.#shared.isPaused || this.#shared.stoppedAt !== undefined) return;
    this.#shared.isPaused = false;
    this.#table.setAccepting(true);
  }
}
