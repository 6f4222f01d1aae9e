/** Output, and how to learn that the kernel has taken it. */
import type { Socket } from 'node:net';

/**
 * Sends pieces in one system call.
 *
 * @returns whether the kernel has taken everything; if not, the rest stays in `socket`, and 'drain' follows
 */
export function sendAll(socket: Socket, pieces: readonly Uint8Array[]): boolean {
  if (pieces.length > 1) socket.cork();
  for (const piece of pieces) socket.write(piece);
  if (pieces.length > 1) socket.uncork();
  return socket.writableLength === 0;
}

/** Resolves when the kernel has taken all output, or when the connection has closed. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.writableLength === 0 || socket.destroyed) return resolve();
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
