/**
 * What the models on Node's own sockets share, and what is not their concurrency: listeners on every
 * address, the limit on connections, the idle timeout, and an orderly end.
 */
import type { SocketAddressLike } from '../echo/addresses.ts';
import type { Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { GRACE_MS, onShutdown } from '../echo/shutdown.ts';
import { acceptClients, type Terms } from './accept.ts';
import { Connection } from './connection.ts';
import { drain } from './drain.ts';
import { watchIdle } from './idle-timeout.ts';

export { acceptClients } from './accept.ts';
export { type Admission, Semaphore } from './admission.ts';
export { Connection } from './connection.ts';
export { watchIdle } from './idle-timeout.ts';
export { drained, sendAll } from './output.ts';
export { Peer } from './peer.ts';
export { Turns } from './turns.ts';

/** Servers that listen, and the clients that they have. */
export interface Service {
  readonly addresses: readonly SocketAddressLike[];
  /** How many connections are open. */
  open(): number;
  /**
   * Stops accepting, answers the complete lines that have come, closes. Resolves when the log has been told
   * of every connection, soon after `grace` at the latest.
   *
   * @param grace - milliseconds until connections that are still open are closed forcibly; `GRACE_MS` if left out
   */
  stop(grace?: number): Promise<void>;
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
  terms?: Terms,
): Promise<Service> {
  const connections = new Set<Connection>();
  const listeners = await acceptClients(
    options,
    log,
    (socket, release) => {
      const connection = new Connection(socket, options, log);
      connections.add(connection);
      socket.once('close', () => {
        connections.delete(connection);
        release();
      });
      onConnection(connection);
    },
    terms,
  );
  const idleTimer = await watchIdle(connections, options.idleTimeout);
  return {
    addresses: listeners.map(({ at }) => at),
    open: () => connections.size,
    async stop(grace = GRACE_MS) {
      for (const { server } of listeners) server.close();
      await drain(connections, grace);
      clearInterval(idleTimer);
    },
  };
}

/** Announces a service in the log. At SIGINT or SIGTERM stops it in order, then exits with 0. */
export function runUntilSignal(service: Service, log: Log): void {
  onShutdown(async (signal) => {
    log.notice(`${signal}: stopping with ${service.open()} open`);
    await service.stop();
    await log.flush();
    process.exit(0);
  });
  log.listening(service.addresses); // last: whoever reads it may send a signal at once
}
