/** Where to listen: names become addresses, and one port is found for all of them. */
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';

/** An end of a connection, as `node:net` and `sockets/` both name it. */
export interface SocketAddressLike {
  readonly address: string;
  readonly port: number;
}

/** `127.0.0.1:12321`, `[::1]:12321`. */
export function formatAddress({ address, port }: SocketAddressLike): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** How many connections may wait to be accepted; the kernel caps it at net.core.somaxconn. */
export const LISTEN_BACKLOG = 4096;

/** Both loopback addresses: the default of every model that can wait on two listeners. */
export const LOOPBACK = ['127.0.0.1', '::1'] as const;

/** How often another port is tried when a free one for the first address is taken on the second. */
const PORT_ATTEMPTS = 20;

/** These say that the machine has no such address, or no IPv6 at all. */
const NOT_HERE = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT']);

/**
 * Opens a listener on each host, all on the same port.
 *
 * @param hosts - names or addresses; undefined for `defaults`, of which any but the first may be
 *   missing from this machine
 * @param port - 0 to pick a free one
 * @param open - opens one listener; `ipv6Only` keeps an IPv6 listener from taking the IPv4 port too
 * @param close - closes one again, when another address does not have the same port free
 * @throws whatever `open` throws: EADDRINUSE, EADDRNOTAVAIL, EACCES …; ENOTFOUND for an unknown name
 */
export async function listenOnAll<L extends { readonly at: SocketAddressLike }>(
  { hosts, port }: { readonly hosts: readonly string[] | undefined; readonly port: number },
  defaults: readonly string[],
  open: (at: SocketAddressLike, ipv6Only: boolean) => L | Promise<L>,
  close: (listener: L) => void | Promise<void>,
): Promise<L[]> {
  const addresses = hosts ? await resolve(hosts) : defaults;
  for (let attempt = 1; ; attempt++) {
    const listeners: L[] = [];
    try {
      for (const address of addresses) {
        const wanted = listeners[0]?.at.port ?? port;
        try {
          listeners.push(await open({ address, port: wanted }, addresses.length > 1));
        } catch (error) {
          const isOptional = !hosts && listeners.length > 0;
          if (!(isOptional && NOT_HERE.has(codeOf(error)))) throw error;
        }
      }
      return listeners;
    } catch (error) {
      for (const listener of listeners) await close(listener);
      const isOurChoice = port === 0 && listeners.length > 0 && codeOf(error) === 'EADDRINUSE';
      if (!isOurChoice || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function resolve(hosts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(hosts.map((host) => lookup(host, { all: true })));
  return [...new Set(found.flat().map(({ address }) => address))];
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}
