import type { Socket } from 'node:net';
import { isSupported, unacknowledged as unacknowledgedOn } from '../sockets/index.ts';

/**
 * How many bytes of a socket's output the client has not acknowledged yet. node:net does not say; the
 * kernel does, for the descriptor (SIOCOUTQ, tcp(7)).
 *
 * @returns 0 where the system does not say: there a client that reads very slowly may count as idle
 */
export function unacknowledged(socket: Socket): number {
  // Node does not document this field; where it is missing, this returns 0.
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd: number } };
  if (!isSupported || !handle || handle.fd < 0) return 0;
  return unacknowledgedOn(handle.fd) ?? 0;
}
