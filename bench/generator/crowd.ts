/** Many connections to one server, opened in order, proved to be served, and closed in order. */
import { EPOLLIN, EPOLLOUT } from '../../sockets/epoll.ts';
import * as sys from '../../sockets/index.ts';
import { Connection, WrongEcho } from './connection.ts';
import { Lines } from './lines.ts';
import { PreciseEpoll } from './precise-epoll.ts';
import { freshAddress, isTaken, MOST_ADDRESSES, NoPort } from './source.ts';

/** How many clients connect, and where to. */
export interface CrowdSize {
  /** The server's, on 127.0.0.1. */
  readonly port: number;
  readonly connections: number;
  /** Bytes, the CR LF included; 16 or more. */
  readonly lineLength: number;
  /** Different lines for each connection. */
  readonly linesEach: number;
  /** Whether to use small segments and a small receive buffer, so that a client that does not read soon stalls its server. */
  readonly narrow?: boolean;
  /** Milliseconds without a byte after which an answer counts as missing; long, because some start a process. */
  readonly patience?: number;
}

/** Connections from one source address: fewer than the ports that the kernel gives out. */
const FROM_ONE_ADDRESS = 1000;
/** Connections that may wait in a server's backlog; the smallest default in use is 511. */
const AT_A_TIME = 200;

/** Connections that are open at the same time. */
export class Crowd {
  readonly epoll = new PreciseEpoll();
  readonly connections: Connection[] = [];
  readonly lines: Lines;
  readonly patience: number;

  /**
   * Connects, and sends one line on each connection to prove that it is served: that a connect
   * succeeds only proves that the kernel listens.
   *
   * @throws WrongEcho when the server is not there, or does not echo; NoPort; nothing is open then
   */
  constructor(size: CrowdSize) {
    this.lines = new Lines(size.connections, size.lineLength, size.linesEach);
    this.patience = size.patience ?? 15_000;
    try {
      this.#come(size);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #come(size: CrowdSize): void {
    let source = '';
    for (let i = 0; i < size.connections; i++) {
      if (i % FROM_ONE_ADDRESS === 0) source = freshAddress();
      let fd: number | undefined;
      for (let tried = 1; fd === undefined; tried++) {
        fd = connectFrom(source, size.port, size.narrow === true);
        if (fd === undefined && tried >= MOST_ADDRESSES) throw new NoPort();
        if (fd === undefined) source = freshAddress();
      }
      const connection = new Connection(fd, i, this.lines);
      this.connections.push(connection);
      this.epoll.add(fd, EPOLLIN, i);
      connection.sendUpTo(this.lines.lineLength);
      if (i % AT_A_TIME === AT_A_TIME - 1) this.drain();
    }
    this.drain();
  }

  /** Sends up to `total` bytes in all; what does not go now goes when `serve` finds room. */
  send(connection: Connection, index: number, total: number): void {
    if (!connection.sendUpTo(total)) {
      this.epoll.modify(connection.fd, EPOLLIN | EPOLLOUT, index);
      this.#wanted.set(index, total);
    }
  }

  /** Totals of connections whose kernel buffer was full. */
  readonly #wanted = new Map<number, number>();

  /** Takes what has come on a ready connection, and sends what had no room. @returns bytes that came */
  serve(index: number): number {
    const connection = this.connections[index] as Connection;
    if (this.#wanted.size > 0) {
      const wanted = this.#wanted.get(index);
      if (wanted !== undefined && connection.sendUpTo(wanted)) {
        this.#wanted.delete(index);
        this.epoll.modify(connection.fd, EPOLLIN, index);
      }
    }
    return connection.receive();
  }

  /**
   * Waits until everything has come back.
   *
   * @throws WrongEcho when nothing has come for the crowd's patience, and something is missing
   */
  drain(): void {
    let lastByteAt = performance.now();
    while (this.#wanted.size > 0 || this.connections.some((each) => each.received < each.sent)) {
      const ready = this.epoll.wait(50);
      for (let i = 0; i < ready; i++) {
        if (this.serve(this.epoll.data(i)) > 0) lastByteAt = performance.now();
      }
      if (performance.now() - lastByteAt > this.patience) throw this.missing();
    }
  }

  /** What the server still owes after the crowd's patience, as an error. */
  missing(): WrongEcho {
    const owed = this.connections.find((each) => each.received < each.sent);
    return owed?.missing(this.patience) ?? new WrongEcho('the server reads no more');
  }

  /** Lets each client send one more line, and waits for all echoes, to prove that the server has lost no client. */
  proveServed(): void {
    this.connections.forEach((each, index) => {
      this.send(each, index, each.sent + this.lines.lineLength);
      if (index % AT_A_TIME === AT_A_TIME - 1) this.drain();
    });
    this.drain();
  }

  /** Sends on every connection, and reads nothing, until the server takes no more. @returns bytes taken */
  stall(limitEach: number): number {
    let taken = -1;
    for (let total = 0; total > taken; ) {
      taken = total;
      for (const each of this.connections) each.sendUpTo(limitEach);
      pause(60);
      total = this.connections.reduce((sum, each) => sum + each.sent, 0);
    }
    return taken;
  }

  /** Sends half a line on every connection. */
  leaveUnfinished(): void {
    const half = Math.floor(this.lines.lineLength / 2);
    for (const each of this.connections) each.sendUpTo(each.sent + half);
  }

  /**
   * Closes. A client that has received everything sends a FIN and waits for the server's, so that the server's
   * clean-up does not disturb the next measurement. A client with unread answers closes at once, which resets the
   * connection.
   *
   * @throws WrongEcho when the server sends more after the goodbye, or breaks the connection
   */
  leave(): void {
    const open = new Set<number>();
    this.connections.forEach((each, index) => {
      if (each.received < each.sent) {
        each.close();
      } else {
        each.sayGoodbye();
        open.add(index);
      }
    });
    const giveUpAt = performance.now() + 3000;
    try {
      while (open.size > 0 && performance.now() < giveUpAt) {
        const ready = this.epoll.wait(50);
        for (let i = 0; i < ready; i++) {
          const index = this.epoll.data(i);
          const connection = this.connections[index] as Connection;
          if (!connection.receiveEnd()) continue;
          connection.close();
          open.delete(index);
        }
      }
    } finally {
      this.close();
    }
  }

  /** Closes at once, whatever is on its way. */
  close(): void {
    for (const each of this.connections) each.close();
    this.epoll.close();
  }
}

/** Sleeps without Node's event loop. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * A connected, non-blocking socket; undefined when all ports of the address are in use, by clients of
 * another generator that have just gone, say.
 *
 * @throws WrongEcho when nobody listens
 */
function connectFrom(address: string, port: number, narrow: boolean): number | undefined {
  const fd = sys.socket(sys.AF_INET);
  try {
    if (narrow) {
      sys.setsockopt(fd, sys.SO_RCVBUF, 4096);
      sys.setsockopt(fd, sys.SO_SNDBUF, 16384);
      sys.setsockopt(fd, sys.TCP_MAXSEG, 536);
    }
    sys.bind(fd, { address, port: 0 });
    sys.connect(fd, { address: '127.0.0.1', port });
    sys.setNonBlocking(fd);
    sys.setsockopt(fd, sys.TCP_NODELAY, 1);
    return fd;
  } catch (error) {
    sys.close(fd);
    if (isTaken(error)) return undefined;
    throw new WrongEcho(`the server is not there: ${(error as Error).message}`);
  }
}
