import type { Socket } from 'node:net';
import { isSupported, unacknowledged as unacknowledgedOn } from '../sockets/index.ts';

/**
 * How many bytes of a socket's output its client has not acknowledged yet. node:net does not tell; the
 * kernel does, for the descriptor (SIOCOUTQ, tcp(7)).
 *
 * @returns 0 where the system cannot tell: there a client that reads very slowly may count as idle
 */
export function unacknowledged(socket: Socket): number {
  // Not in Node's documentation, and the same in all its versions.
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd: number } };
  if (!isSupported || !handle || handle.fd < 0) return 0;
  return unacknowledgedOn(handle.fd) ?? 0;
}
