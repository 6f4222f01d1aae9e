/** Socket options (socket(7), tcp(7), ipv6(7)), for `setsockopt` and `getsockopt`. */
import { constants } from './platform.ts';

/** Where an option lives, and what its value is in memory. */
export interface SocketOption {
  readonly level: number;
  readonly name: number;
  /** `int`: a whole number or a switch. `timeval`: milliseconds here. `linger`: seconds, or -1 for off. */
  readonly kind: 'int' | 'timeval' | 'linger';
}

const option = (level: number, name: number, kind: SocketOption['kind'] = 'int'): SocketOption => ({
  level,
  name,
  kind,
});
const { SOL_SOCKET, IPPROTO_TCP, IPPROTO_IPV6 } = constants;

/** Let a listener take a port whose earlier connections are still in TIME_WAIT. */
export const SO_REUSEADDR = option(SOL_SOCKET, constants.SO_REUSEADDR);
/** Probe a silent peer, on Linux after two hours (net.ipv4.tcp_keepalive_time): one that is gone is an error then. */
export const SO_KEEPALIVE = option(SOL_SOCKET, constants.SO_KEEPALIVE);
/** What close(2) does with unsent data: seconds to wait, 0 to reset the connection, -1 for off. */
export const SO_LINGER = option(SOL_SOCKET, constants.SO_LINGER, 'linger');
/** Bytes of the send buffer; Linux doubles what is set. */
export const SO_SNDBUF = option(SOL_SOCKET, constants.SO_SNDBUF);
/** Bytes of the receive buffer; Linux doubles what is set. */
export const SO_RCVBUF = option(SOL_SOCKET, constants.SO_RCVBUF);
/** Milliseconds after which a blocking send gives up with `WOULD_BLOCK`; 0 waits for ever. */
export const SO_SNDTIMEO = option(SOL_SOCKET, constants.SO_SNDTIMEO, 'timeval');
/** Milliseconds after which a blocking recv or accept gives up with `WOULD_BLOCK`; 0 waits for ever. */
export const SO_RCVTIMEO = option(SOL_SOCKET, constants.SO_RCVTIMEO, 'timeval');
/** The pending error number, 0 for none; reading it clears it. */
export const SO_ERROR = option(SOL_SOCKET, constants.SO_ERROR);
/** Send small segments at once, without waiting for more (Nagle's algorithm off). */
export const TCP_NODELAY = option(IPPROTO_TCP, constants.TCP_NODELAY);
/** The largest segment to send, in bytes. */
export const TCP_MAXSEG = option(IPPROTO_TCP, constants.TCP_MAXSEG);
/** An IPv6 socket that leaves IPv4 alone, so that both can listen on the same port. */
export const IPV6_V6ONLY = option(IPPROTO_IPV6, constants.IPV6_V6ONLY);

/** An option's value as it stands in memory. @throws RangeError when a time is not a number */
export function encodeOption({ kind }: SocketOption, value: number): Buffer {
  const memory = Buffer.alloc(kind === 'int' ? 4 : kind === 'linger' ? 8 : 16);
  if (kind === 'int') memory.writeInt32LE(value, 0);
  if (kind === 'linger') {
    memory.writeInt32LE(value < 0 ? 0 : 1, 0);
    memory.writeInt32LE(Math.max(value, 0), 4);
  }
  if (kind === 'timeval') {
    // Upwards: a wait that rounds to 0 would be one for ever.
    const microseconds = Math.ceil(value * 1000);
    memory.writeBigInt64LE(BigInt(Math.floor(microseconds / 1e6)), 0);
    memory.writeInt32LE(microseconds % 1e6, 8);
  }
  return memory;
}

/** The inverse of `encodeOption`. */
export function decodeOption({ kind }: SocketOption, memory: Buffer): number {
  if (kind === 'int') return memory.readInt32LE(0);
  if (kind === 'linger') return memory.readInt32LE(0) === 0 ? -1 : memory.readInt32LE(4);
  return Number(memory.readBigInt64LE(0)) * 1000 + memory.readInt32LE(8) / 1000;
}
