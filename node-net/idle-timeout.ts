/** `--idle-timeout`: closes connections on which no byte moves. */
import type { Socket } from 'node:net';

/** A connection that may become idle. */
export interface Watched {
  readonly socket: Socket;
  /** Whether the client waits for an answer that the server has not sent yet: then it is not idle. */
  readonly owesAnswer: boolean;
  destroy(reason: string): void;
}

/**
 * Checks all connections a few times per timeout.
 *
 * @param idleTimeout - milliseconds; 0 is off
 * @returns a timer, to be cleared at the end
 */
export async function watchIdle(connections: ReadonlySet<Watched>, idleTimeout: number) {
  if (idleTimeout === 0) return undefined;
  const { unacknowledged } = await import('./unacknowledged.ts'); // the only use of sockets/ here
  /** How many bytes a connection had moved when it last moved one. */
  const movements = new WeakMap<Watched, { readonly bytes: number; readonly at: number }>();
  const check = () => {
    const at = performance.now();
    for (const each of connections) {
      const { socket, owesAnswer } = each;
      const pending = socket.writableLength;
      // Output that the client acknowledges counts: a client that reads slowly is not idle.
      const bytes = socket.bytesRead + socket.bytesWritten - pending - unacknowledged(socket);
      const last = movements.get(each);
      if (bytes !== last?.bytes || (owesAnswer && pending === 0)) {
        movements.set(each, { bytes, at });
      } else if (at - last.at >= idleTimeout) {
        each.destroy('idle');
      }
    }
  };
  // After the poll phase of the event loop: input may have come while the loop was busy with others.
  return setInterval(() => setImmediate(check), Math.min(Math.ceil(idleTimeout / 4), 1000));
}
