/**
 * What the models on Node's own sockets share, and what is not their concurrency: listeners on every
 * address, the limit on connections, and an orderly end.
 */
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
/** Resolves in the next turn of the event loop, after whoever else is ready has had a turn. */
export { nextTurn };

/** Servers that listen, and the clients that they have. */
export interface Service {
  readonly addresses: readonly SocketAddressLike[];
  /** How many connections are open. */
  readonly open: number;
  /** Stops accepting, answers what has come complete, closes; resolves within `GRACE_MS`. */
  stop(): Promise<void>;
}

/** Decides whether one more connection is taken, and is told when it has closed. */
export interface Admission {
  admit(): boolean | Promise<boolean>;
  release(): void;
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
  admission: Admission = limit(options.maxConnections),
): Promise<Service> {
  const connections = new Set<Connection>();

  async function accept(socket: Socket): Promise<void> {
    socket.once('error', () => {}); // a client may be gone before it is admitted
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

  const servers = await listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => listen(at, ipv6Only, accept),
    ({ server }) => closed(server),
  );
  for (const { server } of servers) {
    // No descriptor left, say: libuv has turned the client away, and the server goes on.
    server.on('error', (error) => log.notice(`a client was lost: ${error.message}`));
  }
  return {
    addresses: servers.map(({ at }) => at),
    get open() {
      return connections.size;
    },
    async stop() {
      for (const { server } of servers) server.close();
      await drain(connections);
    },
  };
}

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

interface NodeListener {
  readonly server: Server;
  readonly at: SocketAddressLike;
}

/**
 * One `net.Server` that listens.
 *
 * @param onSocket - gets each accepted socket: half-open (output may follow the client's FIN), without
 *   Nagle's delay
 */
export async function listen(
  { address, port }: SocketAddressLike,
  ipv6Only: boolean,
  onSocket: (socket: Socket) => void,
): Promise<NodeListener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onSocket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, ipv6Only, backlog: LISTEN_BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not a TCP listener');
  return { server, at: { address: bound.address, port: bound.port } };
}

/** Resolves when a server listens no more. */
export async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

/**
 * Ends all connections. One whose kernel buffer had nothing in a whole turn of the event loop, and
 * that has no answer outstanding, has been answered in full; who goes on sending is cut short.
 */
async function drain(connections: ReadonlySet<Connection>): Promise<void> {
  const since = performance.now();
  while (connections.size > 0 && performance.now() < since + GRACE_MS) {
    const before = new Map([...connections].map((each) => [each, each.socket.bytesRead]));
    await nextTurn();
    await nextTurn();
    const isTimeUp = performance.now() > since + DRAIN_MS;
    for (const [connection, bytesRead] of before) {
      const isDone = connection.isIdle && connection.socket.bytesRead === bytesRead;
      if (isDone || isTimeUp) connection.finishWhenAnswered('the server stops');
    }
    await sleep(5);
  }
  for (const connection of connections) connection.destroy('the server stops');
  await nextTurn(); // in which the log hears of them
}
