import { familyOf, type SocketAddress } from './address.ts';
import { IPV6_V6ONLY, SO_KEEPALIVE, SO_REUSEADDR, TCP_NODELAY } from './options.ts';
import { AF_INET6, bind, close, getsockname, listen, setsockopt, socket } from './socket.ts';

/** What Linux allows by default since 5.4 (listen(2)). */
const SOMAXCONN = 4096;

/** A listening socket, and the address that it really has. */
export interface Listener {
  readonly fd: number;
  readonly at: SocketAddress;
}

/**
 * The four calls that make a TCP listener: socket, setsockopt, bind, listen. Accepted sockets inherit its
 * options: answers are not held back (TCP_NODELAY), and a peer that has vanished without a FIN is
 * noticed in the end (SO_KEEPALIVE).
 *
 * @param at - port 0 picks a free one
 * @param backlog - how many connections may wait to be accepted; the kernel caps it at net.core.somaxconn
 * @param ipv6Only - whether an IPv6 listener leaves the IPv4 port to others; else `::` is dual stack
 * @throws TypeError when the address is neither IPv4 nor IPv6; SocketError EADDRINUSE, EADDRNOTAVAIL, EACCES …;
 *   then no descriptor is left open
 */
export function openListener(at: SocketAddress, backlog = SOMAXCONN, ipv6Only = false): Listener {
  const family = familyOf(at.address);
  const fd = socket(family);
  try {
    setsockopt(fd, SO_REUSEADDR, 1);
    setsockopt(fd, SO_KEEPALIVE, 1);
    setsockopt(fd, TCP_NODELAY, 1);
    if (family === AF_INET6) setsockopt(fd, IPV6_V6ONLY, ipv6Only ? 1 : 0);
    bind(fd, at);
    listen(fd, backlog);
    return { fd, at: getsockname(fd) };
  } catch (error) {
    close(fd);
    throw error;
  }
}
