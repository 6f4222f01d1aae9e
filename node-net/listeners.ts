/** `net.Server`s that listen. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { LISTEN_BACKLOG, type SocketAddressLike } from '../echo/addresses.ts';

/** Milliseconds of silence after which the kernel sends its first keepalive probe (tcp(7), TCP_KEEPIDLE). */
const KEEPALIVE_MS = 60_000;

/** A server that listens, and the address that it really has. */
export interface NodeListener {
  readonly server: Server;
  readonly at: SocketAddressLike;
}

/** An address, or the descriptor of a socket that listens already. */
type ListenAt = { host: string; port: number; ipv6Only: boolean } | { fd: number };

/**
 * Opens a listener.
 *
 * @param onSocket - is given each accepted socket, half-open: output may follow the client's FIN
 * @throws EADDRINUSE, EADDRNOTAVAIL, EACCES …
 */
export async function listen(
  at: ListenAt,
  onSocket: (socket: Socket) => void,
): Promise<NodeListener> {
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

/** Closes a listener. Resolves when the port is free again. */
export async function closeListener({ server }: NodeListener): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
