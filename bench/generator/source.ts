/** Where clients come from: their source addresses and ports. */
import { readFileSync } from 'node:fs';
import { SocketError } from '../../sockets/errors.ts';

let addressesUsed = 0;

/** A source address in 127.0.0.0/8 that nobody has used lately: the ports of one are soon used up. */
export function freshAddress(): string {
  const n = (process.pid * 64 + addressesUsed++) % (250 * 250 * 200);
  return `127.${1 + (Math.floor(n / 62500) % 200)}.${1 + (Math.floor(n / 250) % 250)}.${1 + (n % 250)}`;
}

/** Ports for clients that choose theirs. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const FIRST = 10_000;
/** Fewer ports than this are soon used up, at any address. */
const ENOUGH = 1000;

/**
 * The ports below those that the kernel gives out (ip_local_port_range in ip(7)). A client that has left holds its
 * port for another minute (TIME_WAIT), and connect(2) passes over a port to which any socket is bound, at whatever
 * address. So with ports of the kernel's range, no program on this machine could connect in that minute
 * (EADDRNOTAVAIL).
 *
 * @param given - the lowest and the highest port that the kernel gives out
 */
export function portRange(given: string = portsOfKernel()): PortRange {
  const [low = 0] = given.trim().split(/\s+/).map(Number);
  return { first: FIRST, last: low - FIRST >= ENOUGH ? low - 1 : 60_000 };
}

function portsOfKernel(): string {
  return readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
}

/** Whether a client could not connect because its port is taken: by one that has just left, say. */
export function isTaken(error: unknown): boolean {
  return error instanceof SocketError && /^EADDR(INUSE|NOTAVAIL)$/.test(error.code);
}

/** So many addresses are tried for one client. */
export const MOST_ADDRESSES = 20;

/** No client can connect. Says in one line what that may be. */
export class NoPort extends Error {
  constructor() {
    super(
      `no source port is free at ${MOST_ADDRESSES} addresses of 127.0.0.0/8; clients that have left hold theirs for a minute (TIME_WAIT)`,
    );
  }
}
