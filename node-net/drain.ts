/** The end of a server on Node's sockets, after a signal. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { DRAIN_MS } from '../echo/shutdown.ts';
import type { Connection } from './connection.ts';

/**
 * Ends all connections. A connection without an outstanding answer, from which nothing was received in a
 * whole turn of the event loop, is done. One that goes on sending is ended after `DRAIN_MS`, one that does
 * not close after `grace` milliseconds.
 */
export async function drain(connections: ReadonlySet<Connection>, grace: number): Promise<void> {
  const since = performance.now();
  while (connections.size > 0 && performance.now() < since + grace) {
    const before = new Map([...connections].map((each) => [each, each.socket.bytesRead]));
    await nextTurn();
    await nextTurn();
    const isTimeUp = performance.now() > since + DRAIN_MS;
    for (const [connection, bytesRead] of before) {
      const isDone = connection.phase === 'reading' && connection.socket.bytesRead === bytesRead;
      if (isDone || isTimeUp) connection.end('the server stops');
    }
    await sleep(5);
  }
  for (const connection of connections) connection.destroy('the server stops');
  // 'close' comes in a later phase of the event loop; then the log hears of it.
  while (connections.size > 0) await nextTurn();
}
