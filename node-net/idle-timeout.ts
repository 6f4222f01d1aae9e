/** `--idle-timeout`: closes connections on which no byte moves. */
import type { Connection } from './connection.ts';

/**
 * Checks all connections a few times per timeout.
 *
 * @param idleTimeout - milliseconds; 0 is off
 * @returns a timer, to be cleared at the end
 */
export async function watchIdle(connections: ReadonlySet<Connection>, idleTimeout: number) {
  if (idleTimeout === 0) return undefined;
  const { unacknowledged } = await import('./unacknowledged.ts'); // the only use of sockets/ here
  const check = () => {
    const now = performance.now();
    for (const each of connections) each.checkIdle(now, idleTimeout, unacknowledged);
  };
  // After the poll phase of the event loop: input may have come while the loop was busy with others.
  return setInterval(() => setImmediate(check), Math.min(Math.ceil(idleTimeout / 4), 1000));
}
