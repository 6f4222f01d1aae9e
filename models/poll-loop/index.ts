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
import { LISTEN_BACKLOG, LOOPBACK, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';
import { Acceptor } from './acceptor.ts';
import { type Connection, Shared } from './connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { LineQueue } from './line-queue.ts';

/** How long it takes no new clients after accept has failed, unless a client leaves. */
const RETRY_MS = 1000;

// Made once: the loop allocates nothing for an event.
const ready = (connection: Connection) => connection.ready();
const answerLine = (connection: Connection) => connection.answerLine();

const model: Model = { name: 'poll-loop', summary: 'one loop over poll(2) serves all clients' };

await main(model, async (options) => {
  const log = new Log(options);
  const shared = new Shared(options);
  const listeners = await listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  for (const { fd } of listeners) sys.setNonBlocking(fd);
  const table = new ConnectionTable(listeners.map(({ fd }) => fd));
  /** With --wait and --work: whose line is answered next. */
  const lines = new LineQueue(options.wait);
  /** Connections that are closed, but still in the table. */
  const departed = new Set<Connection>();
  const acceptor = new Acceptor(table, shared, log);
  const idleSweepMs = Math.min(Math.ceil(options.idleTimeout / 4), 1000) || Infinity;
  let nextSweep = 0;

  async function run(): Promise<void> {
    const { poll } = table;
    while (shared.stoppedAt === undefined || table.open > 0) {
      const someoneReady = poll.poll(timeout()) > 0; // the only place that waits
      for (let i = 1; someoneReady && i < poll.length; i++) {
        if (poll.revents(i) === 0) continue;
        const connection = table.connectionAt(i);
        if (connection) attend(connection, ready);
        else acceptor.acceptFrom(poll.fd(i));
      }
      removeDeparted(); // not during the walk, because it changes the indices
      const next = lines.take();
      if (next) attend(next, answerLine);
      removeDeparted();
      if (sweepInterval() < Infinity) sweep(someoneReady);
      if ((someoneReady && poll.revents(0) !== 0) || log.isBehind) await sys.runEventLoop();
    }
    await log.flush();
    process.exit(0);
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
    if (connection.hasLine && !connection.isQueued) lines.add(connection);
  }

  function removeDeparted(): void {
    if (departed.size === 0) return;
    table.remove(departed);
    departed.clear();
    if (!table.isAccepting && shared.stoppedAt === undefined) table.setAccepting(true);
  }

  /** For poll(2): milliseconds until the next deadline that no descriptor will signal; -1 for never. */
  function timeout(): number {
    const next = Math.min(lines.timeout, sweepInterval());
    return next < Infinity ? Math.ceil(next) : -1;
  }

  /** Milliseconds until the time limits have to be checked; `Infinity` when no connection has one. */
  function sweepInterval(): number {
    if (shared.stoppedAt !== undefined) return 10;
    if (shared.lingering > 0) return Math.min(idleSweepMs, 100);
    if (shared.withBareLf.size > 0) return Math.min(idleSweepMs, 500);
    return table.isAccepting ? idleSweepMs : Math.min(idleSweepMs, RETRY_MS);
  }

  /** Checks the time limits of all connections: for idleness, lingering, hints and the end of the server. */
  function sweep(someoneReady: boolean): void {
    const now = performance.now();
    if (now < nextSweep) return;
    nextSweep = now + Math.max(sweepInterval(), 10);
    if (!table.isAccepting && shared.stoppedAt === undefined) table.setAccepting(true);
    for (const each of shared.withBareLf) each.hint();
    for (const each of table.all()) {
      const hasInput = someoneReady && table.poll.revents(each.index) !== 0;
      attend(each, () => each.checkTime(now, hasInput));
    }
    removeDeparted();
  }

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${table.open} open`);
    shared.stoppedAt = performance.now();
    nextSweep = 0;
    table.closeListeners();
  });

  log.listening(listeners.map(({ at }) => at));
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run);
});
