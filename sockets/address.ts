/**
 * Socket addresses: `{ address, port }` in TypeScript, `struct sockaddr_in` and
 * `struct sockaddr_in6` in memory (ip(7), ipv6(7)).
 */
import { isIPv4, isIPv6 } from 'node:net';
import { cFunction } from './libc.ts';
import { constants } from './platform.ts';

/** One end of a connection: a numeric IPv4 or IPv6 address, and a port from 0 to 65535. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** Room for the largest address there is: sizeof(struct sockaddr_storage). */
export const SOCKADDR_SIZE = 128;

const inet_pton = cFunction('int inet_pton(int, const char *, void *)');
const inet_ntop = cFunction('void *inet_ntop(int, const void *, void *, uint32_t)');
const if_nametoindex = cFunction('unsigned int if_nametoindex(const char *)');

/**
 * The address family of a numeric address: `AF_INET` or `AF_INET6`.
 *
 * @throws TypeError when it is not a numeric IP address; names are not looked up here.
 */
export function familyOf(address: string): number {
  if (isIPv4(address)) return constants.AF_INET;
  if (isIPv6(address)) return constants.AF_INET6;
  throw new TypeError(`not an IP address: ${JSON.stringify(address)}`);
}

/** Writes an address as the kernel wants it. The port is in network byte order. */
export function encodeAddress({ address, port }: SocketAddress): Buffer {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`not a port (0 to 65535): ${port}`);
  }
  const family = familyOf(address);
  const isV4 = family === constants.AF_INET;
  const sockaddr = Buffer.alloc(isV4 ? 16 : 28);
  if (constants.sockaddrHasLength) {
    sockaddr.writeUInt8(sockaddr.length, 0);
    sockaddr.writeUInt8(family, 1);
  } else {
    sockaddr.writeUInt16LE(family, 0);
  }
  sockaddr.writeUInt16BE(port, 2);
  const [host = '', zone] = address.split('%');
  inet_pton(family, host, sockaddr.subarray(isV4 ? 4 : 8));
  if (zone !== undefined) sockaddr.writeUInt32LE(Number(zone) || if_nametoindex(zone), 24);
  return sockaddr;
}

/**
 * Reads an address that the kernel wrote.
 *
 * @returns undefined for a family other than IPv4 and IPv6
 */
export function decodeAddress(sockaddr: Buffer): SocketAddress | undefined {
  const family = constants.sockaddrHasLength ? sockaddr.readUInt8(1) : sockaddr.readUInt16LE(0);
  if (family !== constants.AF_INET && family !== constants.AF_INET6) return undefined;
  const text = Buffer.alloc(64);
  inet_ntop(family, sockaddr.subarray(family === constants.AF_INET ? 4 : 8), text, text.length);
  const address = text.toString('latin1', 0, text.indexOf(0));
  const zone = family === constants.AF_INET6 ? sockaddr.readUInt32LE(24) : 0;
  return { address: zone ? `${address}%${zone}` : address, port: sockaddr.readUInt16BE(2) };
}
