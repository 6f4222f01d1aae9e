/**
 * poll-loop: one loop waits for all sockets at once, in poll(2). This is the reactor pattern, with
 * level-triggered readiness: poll names the sockets on which something is possible, as long as it is. The
 * same without options, log, limits and signals is core.ts.
 *
 * Every socket is non-blocking, so no call but poll ever waits. The table says what is asked about each
 * socket: POLLIN (tell me when there is input) while nothing is pending to that client, POLLOUT (tell me
 * when there is room) while something is, and never both. That one rule is the backpressure: a client that
 * does not read is not read from.
 */
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { Acceptor } from '../../raw-net/acceptor.ts';
import { begin } from '../../raw-net/begin.ts';
import type { Connection } from '../../raw-net/connection.ts';
import { LineQueue } from '../../raw-net/line-queue.ts';
import { openListeners } from '../../raw-net/listeners.ts';
import { Shared } from '../../raw-net/shared.ts';
import * as sys from '../../sockets/index.ts';
import { ConnectionTable } from './connection-table.ts';

// Made once: the loop allocates nothing for an event.
const ready = (connection: Connection) => connection.ready();
const checkTime = (connection: Connection) => connection.checkTime();
const answerLine = (connection: Connection) => connection.answerLine();

const model: Model = { name: 'poll-loop', summary: 'one loop over poll(2) serves all clients' };

await main(model, async (options) => {
  const shared = new Shared<Connection>(options);
  const listeners = await openListeners(options);
  for (const { fd } of listeners) sys.setNonBlocking(fd);
  const table = new ConnectionTable(listeners.map(({ fd }) => fd));
  /** With --wait and --work: whose line is answered next. */
  const lines = new LineQueue(options.wait);
  /** Connections that are closed, but still in the table. */
  const departed = new Set<Connection>();
  const acceptor = new Acceptor(table, shared);

  async function run(): Promise<void> {
    const { poll } = table;
    while (shared.isServing) {
      const someoneReady = poll.poll(shared.timeout(lines.timeout)) > 0; // the only place that waits
      for (let i = 1; someoneReady && i < poll.length; i++) {
        if (poll.revents(i) === 0) continue;
        const connection = table.connectionAt(i);
        if (connection) attend(connection, ready);
        else acceptor.acceptFrom(poll.fd(i));
      }
      removeDeparted(); // not during the walk, because it changes the indices
      if (shared.isSweepDue()) {
        acceptor.resume();
        for (const each of shared.connections) attend(each, checkTime);
      }
      const next = lines.take();
      if (next) attend(next, answerLine);
      removeDeparted();
      if ((someoneReady && poll.revents(0) !== 0) || shared.log.isBehind) await sys.runEventLoop();
    }
  }

  /** Lets a connection do what it can do now, and asks poll about what it waits for next. */
  function attend(connection: Connection, act: (connection: Connection) => void): void {
    try {
      act(connection);
    } catch (error) {
      if (!(error instanceof sys.SocketError)) throw error;
      connection.close(error.code);
    }
    if (connection.closed) departed.add(connection);
    else table.poll.setEvents(connection.index, connection.events);
    if (connection.isLineNext && !connection.isQueued) lines.add(connection);
  }

  function removeDeparted(): void {
    if (departed.size === 0) return;
    table.remove(departed);
    departed.clear();
    acceptor.resume();
  }

  begin(shared, listeners, run, () => table.closeListeners());
});
