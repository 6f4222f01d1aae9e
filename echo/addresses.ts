/** Where to listen: looks up names, and opens a listener on each address, all on one port. */
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

/** The backlog: how many connections may wait to be accepted. The kernel caps it at net.core.somaxconn. */
export const LISTEN_BACKLOG = 4096;

/** Both loopback addresses: the default of every model that can wait on two listeners. */
export const LOOPBACK = ['127.0.0.1', '::1'] as const;

/** With port 0: how many ports are tried until one is free on all addresses. */
const PORT_ATTEMPTS = 20;

/** The machine has no such address, or no IPv6 at all. */
const MISSING_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT']);

/**
 * Opens a listener on each address of each host, all on the same port. If a name has several addresses, one
 * that this machine has is enough: `localhost` often includes ::1 even where IPv6 is off.
 *
 * @param hosts - names or addresses; undefined for `defaults`, which are treated as the addresses of one name
 * @param port - 0 to pick a free one
 * @param open - opens one listener; `ipv6Only` keeps an IPv6 listener from taking the IPv4 port too
 * @param close - closes one again, when the port is not free on another address
 * @throws whatever `open` throws: EADDRINUSE, EADDRNOTAVAIL, EACCES …; ENOTFOUND for an unknown name
 */
export async function listenOnAll<L extends { readonly at: SocketAddressLike }>(
  { hosts, port }: { readonly hosts: readonly string[] | undefined; readonly port: number },
  defaults: readonly string[],
  open: (at: SocketAddressLike, ipv6Only: boolean) => L | Promise<L>,
  close: (listener: L) => void | Promise<void>,
): Promise<L[]> {
  const names = hosts ? await Promise.all(hosts.map(addressesOf)) : [defaults];
  const ipv6Only = new Set(names.flat()).size > 1;
  for (let attempt = 1; ; attempt++) {
    const listeners = new Map<string, L>();
    const wanted = () => [...listeners.values()][0]?.at.port ?? port;
    try {
      for (const addresses of names) {
        let missing: unknown;
        for (const address of addresses) {
          if (listeners.has(address)) continue;
          try {
            listeners.set(address, await open({ address, port: wanted() }, ipv6Only));
          } catch (error) {
            if (!MISSING_ADDRESS.has(codeOf(error))) throw error;
            missing ??= error;
          }
        }
        if (missing && !addresses.some((address) => listeners.has(address))) throw missing;
      }
      return [...listeners.values()];
    } catch (error) {
      for (const listener of listeners.values()) await close(listener);
      const isOurChoice = port === 0 && listeners.size > 0 && codeOf(error) === 'EADDRINUSE';
      if (!isOurChoice || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}
