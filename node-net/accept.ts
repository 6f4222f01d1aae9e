/** Where the clients come in. */
import type { Socket } from 'node:net';
import { LOOPBACK, listenOnAll } from '../echo/addresses.ts';
import type { Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { type Admission, DescriptorWatch, Semaphore } from './admission.ts';
import { closeListener, listen, type NodeListener } from './listeners.ts';
import { peerOf } from './peer.ts';

/** Where to listen and whom to admit, if not on the options' addresses and up to the options' limit. */
export interface Terms {
  readonly admission?: Admission | undefined;
  /** Descriptors of listeners that another process has opened. */
  readonly listeners?: readonly number[];
}

/**
 * Listens on all addresses, and turns clients away that are not admitted.
 *
 * @param onSocket - is given each admitted client's socket, and a function to be called when it has closed
 * @throws EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOTFOUND …
 */
export async function acceptClients(
  options: Options,
  log: Log,
  onSocket: (socket: Socket, release: () => void) => void,
  { admission = new Semaphore(options.maxConnections), listeners }: Terms = {},
): Promise<NodeListener[]> {
  const descriptors = new DescriptorWatch(log);
  let open = 0;

  async function accept(socket: Socket): Promise<void> {
    socket.on('error', ignore); // 'close' follows, and the log takes the error from the socket
    descriptors.check(open);
    const answer = admission.admit();
    if (!(typeof answer === 'boolean' ? answer : await answer)) {
      log.refused(`${options.maxConnections} connections are open`, peerOf, socket);
      socket.destroy();
      return;
    }
    // The client may have left during the await, and 'end' is not emitted again.
    if (socket.destroyed || socket.readableEnded) {
      socket.destroy();
      admission.release();
      return;
    }
    open++;
    onSocket(socket, release);
  }

  function release(): void {
    open--;
    admission.release();
  }

  const all = listeners
    ? await Promise.all(listeners.map((fd) => listen({ fd }, accept)))
    : await listenOnAll(
        options,
        LOOPBACK,
        ({ address, port }, ipv6Only) => listen({ host: address, port, ipv6Only }, accept),
        closeListener,
      );
  for (const { server } of all) {
    server.on('error', (error) => log.notice(`a client was lost: ${error.message}`));
  }
  return all;
}

const ignore = () => {};
