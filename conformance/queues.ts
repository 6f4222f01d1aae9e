/** How much of a connection is in the kernel, which says so itself (proc(5)): what is not, the server has. */
import type { Client } from '../client/client.ts';
import { socketsAt } from './socket-table.ts';

/** The bytes of a connection that the kernel holds: two queues at each end. */
interface Queues {
  /** Sent by the client, and not yet taken by the kernel on the server's side. */
  readonly sent: number;
  /** Not yet read by the server. */
  readonly unread: number;
  /** Sent by the server, and not yet taken by the kernel on the client's side. */
  readonly answered: number;
  /** Not yet read by the client. */
  readonly arrived: number;
}

/**
 * How many bytes the server has taken from a client and has not given back to the kernel: it keeps them, or
 * has thrown them away.
 *
 * @param port - the server's
 * @returns undefined where the kernel does not tell: no Linux, or the server's end is in another container
 */
export function bytesHeldBy(port: number, client: Client): number | undefined {
  const queues = queuesBetween(client.localPort, port);
  if (!queues) return undefined;
  const { sent, unread, answered, arrived } = queues;
  return Math.max(0, client.taken - client.received - sent - unread - answered - arrived);
}

/** What is said of a connection that stands still so. */
export const HELD_UP =
  'the server owes nothing: the kernel has not yet handed over the rest (a socket buffer is very small)';

/**
 * Whether a connection stands still because the kernel does: bytes are on their way, though the server has read
 * all that has come to it, and so has the client. That is so when a socket's buffer is smaller than a segment:
 * the kernel waits longer and longer before it tries again, up to two minutes (the persist timer, RFC 9293,
 * 3.8.6.1).
 *
 * @param port - the server's
 */
export function isWithTheKernel(port: number, client: Client): boolean {
  const queues = queuesBetween(client.localPort, port);
  if (!queues) return false;
  const { sent, unread, answered, arrived } = queues;
  return sent + answered > 0 && unread + arrived === 0;
}

/** Undefined unless both ends of just one connection are there. */
function queuesBetween(client: number, server: number): Queues | undefined {
  const rows = socketsAt(client) ?? [];
  const from = (one: number, other: number) =>
    rows.filter(({ localPort, remotePort }) => localPort === one && remotePort === other);
  const [ours, ...moreOfOurs] = from(client, server);
  const [theirs, ...moreOfTheirs] = from(server, client);
  if (!ours || !theirs || moreOfOurs.length + moreOfTheirs.length > 0) return undefined;
  return {
    sent: ours.unacknowledged,
    unread: theirs.unread,
    answered: theirs.unacknowledged,
    arrived: ours.unread,
  };
}
