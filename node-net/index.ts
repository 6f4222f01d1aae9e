/**
 * What the models on Node's own sockets share, and what is not their concurrency: listeners on every
 * address, the limit on connections, time-outs, and an orderly end.
 */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  LISTEN_BACKLOG,
  LOOPBACK,
  listenOnAll,
  type SocketAddressLike,
} from '../echo/addresses.ts';
import type { Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { DRAIN_MS, GRACE_MS } from '../echo/shutdown.ts';
import { Connection, peerOf } from './connection.ts';

export { Connection } from './connection.ts';
export { Turns } from './turns.ts';

/** Milliseconds of silence after which the kernel begins to ask whether a client is still there. */
const KEEPALIVE_MS = 60_000;

/** Servers that listen, and the clients that they have. */
export interface Service {
  readonly addresses: readonly SocketAddressLike[];
  /** How many connections are open. */
  readonly open: number;
  /**
   * Stops accepting, answers what has come complete, closes. Resolves within `GRACE_MS` milliseconds, when
   * the log has been told of every connection.
   */
  stop(): Promise<void>;
}

/** Decides whether one more connection is taken, and is told when it has closed. */
export interface Admission {
  admit(): boolean | Promise<boolean>;
  release(): void;
}

/** Where to listen and whom to admit, if not on the options' addresses and up to the options' limit. */
export interface Terms {
  readonly admission?: Admission | undefined;
  /** Descriptors of listeners that another process has opened. */
  readonly listeners?: readonly number[];
}

/**
 * Listens on all addresses and hands each connection to `onConnection`.
 *
 * @throws EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOTFOUND …
 */
export async function serve(
  options: Options,
  log: Log,
  onConnection: (connection: Connection) => void,
  { admission = limit(options.maxConnections), listeners }: Terms = {},
): Promise<Service> {
  const connections = new Set<Connection>();
  const room = new DescriptorWatch(log);

  async function accept(socket: Socket): Promise<void> {
    socket.on('error', ignore); // 'close' follows, and the log asks the socket what it was
    room.look(connections.size);
    const answer = admission.admit();
    if (!(typeof answer === 'boolean' ? answer : await answer)) {
      log.refused(() => peerOf(socket), `${options.maxConnections} connections are open`);
      socket.destroy();
      return;
    }
    // It may have left while the answer was awaited, and its FIN is not reported again.
    if (socket.destroyed || socket.readableEnded) {
      socket.destroy();
      admission.release();
      return;
    }
    const connection = new Connection(socket, options, log);
    connections.add(connection);
    socket.once('close', () => {
      connections.delete(connection);
      admission.release();
    });
    onConnection(connection);
  }

  const servers = listeners
    ? await Promise.all(listeners.map((fd) => listen({ fd }, accept)))
    : await listenOnAll(
        options,
        LOOPBACK,
        ({ address, port }, ipv6Only) => listen({ host: address, port, ipv6Only }, accept),
        ({ server }) => closed(server),
      );
  for (const { server } of servers) {
    server.on('error', (error) => log.notice(`a client was lost: ${error.message}`));
  }
  const watch = await watchSilence(connections, options.idleTimeout);
  return {
    addresses: servers.map(({ at }) => at),
    get open() {
      return connections.size;
    },
    async stop() {
      for (const { server } of servers) server.close();
      await drain(connections);
      clearInterval(watch);
    },
  };
}

const ignore = () => {};

/** A limit on the connections of this process. */
function limit(maxConnections: number): Admission {
  let open = 0;
  return {
    admit() {
      if (open >= maxConnections) return false;
      open++;
      return true;
    },
    release() {
      open--;
    },
  };
}

/**
 * Says when this process is out of descriptors. libuv then accepts each new client with a descriptor that
 * it has kept for this, and closes it at once: no event tells of it.
 */
class DescriptorWatch {
  readonly #log: Log;
  #isShort = false;
  #most = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Asks whether there is a descriptor for the next client, if there have never been more clients.
   *
   * @param open - how many clients there are
   */
  look(open: number): void {
    if (open < this.#most && !this.#isShort) return;
    this.#most = open;
    try {
      closeSync(openSync('/dev/null', 'r'));
      this.#isShort = false;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EMFILE' && code !== 'ENFILE') return;
      const news = 'no descriptor is left: new clients are turned away until one leaves';
      if (!this.#isShort) this.#log.notice(`${news} (${code})`);
      this.#isShort = true;
    }
  }
}

interface NodeListener {
  readonly server: Server;
  readonly at: SocketAddressLike;
}

/** An address, or the descriptor of a socket that listens already. */
type ListenAt = { host: string; port: number; ipv6Only: boolean } | { fd: number };

/** One `net.Server` that listens; its sockets are half-open: output may follow the client's FIN. */
async function listen(at: ListenAt, onSocket: (socket: Socket) => void): Promise<NodeListener> {
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS };
  // With a high-water mark of one byte 'drain' means that the kernel has taken everything.
  const server = createServer(
    { allowHalfOpen: true, noDelay: true, highWaterMark: 1, ...keepAlive },
    onSocket,
  );
  // Node takes the backlog of a descriptor from the second argument only.
  server.listen('fd' in at ? at : { ...at, backlog: LISTEN_BACKLOG }, LISTEN_BACKLOG);
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not a TCP listener');
  return { server, at: { address: bound.address, port: bound.port } };
}

/** Resolves when a server listens no more. */
async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

/** Sends pieces in one system call; what the kernel does not take now, `socket` keeps. */
export function sendAll(socket: Socket, pieces: readonly Uint8Array[]): void {
  if (pieces.length > 1) socket.cork();
  for (const piece of pieces) socket.write(piece);
  if (pieces.length > 1) socket.uncork();
}

/** Resolves when the kernel has taken all output, or the connection is over. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.writableLength === 0 || socket.destroyed) return resolve();
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

/**
 * `--idle-timeout`: looks at all connections a few times per timeout. After the event loop's poll phase:
 * input may have come while the loop was busy with others.
 */
async function watchSilence(connections: ReadonlySet<Connection>, idleTimeout: number) {
  if (idleTimeout === 0) return undefined;
  const { unacknowledged } = await import('./unacknowledged.ts');
  const look = () => {
    const now = performance.now();
    for (const each of connections) each.checkSilence(now, idleTimeout, unacknowledged);
  };
  return setInterval(() => setImmediate(look), Math.min(Math.ceil(idleTimeout / 4), 1000));
}

/**
 * Ends all connections. One whose kernel buffer had nothing in a whole turn of the event loop, and that
 * has no answer outstanding, has been answered in full; one that goes on sending is cut short.
 */
async function drain(connections: ReadonlySet<Connection>): Promise<void> {
  const since = performance.now();
  while (connections.size > 0 && performance.now() < since + GRACE_MS) {
    const before = new Map([...connections].map((each) => [each, each.socket.bytesRead]));
    await nextTurn();
    await nextTurn();
    const isTimeUp = performance.now() > since + DRAIN_MS;
    for (const [connection, bytesRead] of before) {
      const isDone = connection.phase === 'reading' && connection.socket.bytesRead === bytesRead;
      if (isDone || isTimeUp) connection.end('the server stops');
    }
    await sleep(5);
  }
  for (const connection of connections) connection.destroy('the server stops');
  // 'close' comes in a later phase of the event loop; then the log hears of it.
  while (connections.size > 0) await nextTurn();
}
