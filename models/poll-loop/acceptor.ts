/** Accepts new clients, and adds them to the table unless there are too many. No call in here waits. */
import type { Log } from '../../echo/log.ts';
import * as sys from '../../sockets/index.ts';
import { Connection, type Shared } from './connection.ts';
import type { ConnectionTable } from './connection-table.ts';

/** The most clients that are accepted in one turn of the loop, because the others wait meanwhile. */
const ACCEPTS_IN_A_TURN = 64;

export class Acceptor {
  readonly #table: ConnectionTable;
  readonly #shared: Shared;
  readonly #log: Log;
  /** Whether the last accept failed. The log says so once. */
  #isOutOfDescriptors = false;

  constructor(table: ConnectionTable, shared: Shared, log: Log) {
    this.#table = table;
    this.#shared = shared;
    this.#log = log;
  }

  /** Accepts clients from a listener's backlog. */
  acceptFrom(listener: number): void {
    for (let i = 0; i < ACCEPTS_IN_A_TURN && this.#table.isAccepting; i++) {
      let fd: number;
      try {
        fd = sys.accept(listener);
      } catch (error) {
        this.#pause(error as Error);
        return;
      }
      if (fd < 0) return;
      this.#isOutOfDescriptors = false;
      this.#admit(fd);
    }
  }

  /** Stops asking poll about the listeners. They stay readable, so poll would return at once, again and again. */
  #pause({ message }: Error): void {
    if (!this.#isOutOfDescriptors) this.#log.notice(`no new clients until one leaves: ${message}`);
    this.#isOutOfDescriptors = true;
    this.#table.setAccepting(false);
  }

  #admit(fd: number): void {
    const { maxConnections } = this.#shared.options;
    const peer = () => sys.peerOf(fd);
    if (this.#table.open >= maxConnections) {
      this.#log.refused(peer, `${maxConnections} connections are open`);
      sys.close(fd);
      return;
    }
    sys.setNonBlocking(fd);
    this.#table.add(fd, new Connection(fd, this.#shared, this.#log.connected(peer)));
  }
}
