/** Clients that connect, send one line, get it back, and close. */
import { EPOLLIN, Epoll } from '../../sockets/epoll.ts';
import * as sys from '../../sockets/index.ts';
import { busySeconds } from './busy.ts';
import { Connection, WrongEcho } from './connection.ts';
import { Lines } from './lines.ts';
import { freshAddress, isTaken, MOST_ADDRESSES, NoPort, portRange } from './source.ts';

/** Clients, and how long they come and go. */
export interface Churn {
  readonly port: number;
  /** How many clients are connected at the same time. */
  readonly clients: number;
  readonly lineLength: number;
  readonly warmUp: number;
  readonly seconds: number;
  readonly patience?: number;
}

/** How many came and went. */
export interface ChurnResult {
  readonly clientsPerSecond: number;
  /** As in `Throughput`. */
  readonly saturation: number;
}

/** So many clients a measurement needs; it goes on for them, up to so many seconds. */
const ENOUGH = 30;
const LONGEST = 4;

/** Source ports are chosen here. Otherwise the kernel's search for a free port would be measured. */
const ports = portRange();
let source = '';
let nextPort = ports.last + 1;

/**
 * Connect, echo, close, again and again. A client is counted when the server's FIN has come, in answer
 * to its own: the server has done all that it has to.
 *
 * @throws WrongEcho when an answer is wrong, or missing for so long; NoPort
 */
export function churn(order: Churn): ChurnResult {
  const epoll = new Epoll();
  const open: (Connection | undefined)[] = [];
  try {
    return comeAndGo(order, epoll, open);
  } finally {
    for (const each of open) each?.close();
    epoll.close();
  }
}

function comeAndGo(
  { port, clients, lineLength, warmUp, seconds, patience = 15_000 }: Churn,
  epoll: Epoll,
  open: (Connection | undefined)[],
): ChurnResult {
  const lines = new Lines(clients, lineLength, 2);
  const to = { address: '127.0.0.1', port };
  const come = (index: number) => {
    const fd = connectFromNextPort(to);
    const connection = new Connection(fd, index, lines);
    open[index] = connection;
    epoll.add(fd, EPOLLIN, index);
    connection.sendUpTo(lineLength);
  };
  for (let index = 0; index < clients; index++) come(index);

  const warmAt = performance.now() + warmUp * 1000;
  let startedAt = 0;
  let busy = busySeconds();
  let done = 0;
  let left = clients;
  let isOver = false;
  let lastByteAt = performance.now();
  let result: ChurnResult | undefined;
  while (left > 0) {
    const ready = epoll.wait(100);
    const now = performance.now();
    if (startedAt === 0 && now >= warmAt) {
      startedAt = now;
      done = 0;
      busy = busySeconds();
    }
    const elapsed = (now - startedAt) / 1000;
    const isEnough = elapsed >= seconds && (done >= ENOUGH || elapsed >= LONGEST);
    if (!isOver && startedAt > 0 && isEnough) {
      const saturation = (busySeconds() - busy) / elapsed;
      result = { clientsPerSecond: done / elapsed, saturation };
      isOver = true;
    }
    if (ready > 0) lastByteAt = now;
    else if (now - lastByteAt > patience) {
      throw open.find((each) => each)?.missing(patience) ?? new WrongEcho('the server is silent');
    }
    for (let i = 0; i < ready; i++) {
      const index = epoll.data(i);
      const connection = open[index] as Connection;
      if (connection.received < lineLength) {
        connection.receive();
        if (connection.received === lineLength) sys.shutdown(connection.fd, sys.SHUT_WR);
      } else if (connection.receiveEnd()) {
        connection.close();
        done++;
        open[index] = undefined;
        if (isOver) left--;
        else come(index);
      }
    }
  }
  return result as ChurnResult;
}

/** A connected, non-blocking socket. @throws WrongEcho when nobody listens; NoPort */
function connectFromNextPort(to: sys.SocketAddress): number {
  for (let tried = 0; ; ) {
    if (nextPort > ports.last) {
      if (tried++ >= MOST_ADDRESSES) throw new NoPort();
      source = freshAddress();
      nextPort = ports.first;
    }
    const fd = sys.socket(sys.AF_INET);
    try {
      sys.setsockopt(fd, sys.SO_REUSEADDR, 1);
      sys.bind(fd, { address: source, port: nextPort++ });
      sys.connect(fd, to);
      sys.setNonBlocking(fd);
      return fd;
    } catch (error) {
      sys.close(fd);
      if (isTaken(error)) continue;
      throw new WrongEcho(`the server is not there: ${(error as Error).message}`);
    }
  }
}
