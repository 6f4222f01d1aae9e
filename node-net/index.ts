/**
 * What the models on Node's own sockets share, and what is not their concurrency: listeners on every
 * address, the limit on connections, the idle timeout, and an orderly end.
 */
import type { Socket } from 'node:net';
import { LOOPBACK, listenOnAll, type SocketAddressLike } from '../echo/addresses.ts';
import type { Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { onShutdown } from '../echo/shutdown.ts';
import { type Admission, DescriptorWatch, limitTo } from './admission.ts';
import { Connection, peerOf } from './connection.ts';
import { drain } from './drain.ts';
import { watchIdle } from './idle-timeout.ts';
import { closeListener, listen } from './listeners.ts';

export type { Admission } from './admission.ts';
export { Connection } from './connection.ts';
export { drained, sendAll } from './output.ts';
export { Turns } from './turns.ts';

/** Servers that listen, and the clients that they have. */
export interface Service {
  readonly addresses: readonly SocketAddressLike[];
  /** How many connections are open. */
  readonly open: number;
  /**
   * Stops accepting, answers the complete lines that have come, closes. Resolves when the log has been told
   * of every connection, soon after `GRACE_MS` at the latest.
   */
  stop(): Promise<void>;
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
  { admission = limitTo(options.maxConnections), listeners }: Terms = {},
): Promise<Service> {
  const connections = new Set<Connection>();
  const descriptors = new DescriptorWatch(log);

  async function accept(socket: Socket): Promise<void> {
    socket.on('error', ignore); // 'close' follows, and the log takes the error from the socket
    descriptors.check(connections.size);
    const answer = admission.admit();
    if (!(typeof answer === 'boolean' ? answer : await answer)) {
      log.refused(() => peerOf(socket), `${options.maxConnections} connections are open`);
      socket.destroy();
      return;
    }
    // The client may have left during the await, and 'end' is not emitted again.
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
        closeListener,
      );
  for (const { server } of servers) {
    server.on('error', (error) => log.notice(`a client was lost: ${error.message}`));
  }
  const idleTimer = await watchIdle(connections, options.idleTimeout);
  return {
    addresses: servers.map(({ at }) => at),
    get open() {
      return connections.size;
    },
    async stop() {
      for (const { server } of servers) server.close();
      await drain(connections);
      clearInterval(idleTimer);
    },
  };
}

const ignore = () => {};

/** Announces a service in the log. At SIGINT or SIGTERM stops it in order, then exits with 0. */
export function runUntilSignal(service: Service, log: Log): void {
  onShutdown(async (signal) => {
    log.notice(`${signal}: stopping with ${service.open} open`);
    await service.stop();
    await log.flush();
    process.exit(0);
  });
  log.listening(service.addresses); // last: whoever reads it may send a signal at once
}
