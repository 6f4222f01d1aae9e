/** Where a server on raw sockets listens. */
import { LISTEN_BACKLOG, LOOPBACK, listenOnAll } from '../echo/addresses.ts';
import type { Options } from '../echo/options.ts';
import * as sys from '../sockets/index.ts';

/**
 * Opens a listener on each address, all on one port.
 *
 * @throws SocketError EADDRINUSE, EADDRNOTAVAIL, EACCES …; an error with code ENOTFOUND for an unknown name
 */
export function openListeners(options: Options): Promise<sys.Listener[]> {
  return listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
}
