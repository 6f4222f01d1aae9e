/**
 * poll-loop: one loop waits for all sockets at once, in poll(2).
 *
 * Every socket is non-blocking, so no call but poll ever waits. The table says what is asked about
 * each socket: POLLIN (tell me when there is input) while nothing is pending to that client, POLLOUT
 * (tell me when there is room) while something is, and never both. That one rule is the backpressure:
 * who does not read is not read from.
 */
import { LISTEN_BACKLOG, LOOPBACK, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';
import { Connection, Shared } from './connection.ts';
import { Roster } from './roster.ts';

/** New clients taken in one turn at most: those who are connected wait meanwhile. */
const ACCEPTS_IN_A_TURN = 64;

/** Milliseconds after which it tries again when accept has failed, though no client has left. */
const ANOTHER_TRY = 1000;

// Made once: the loop allocates nothing for an event.
const setUp = (connection: Connection) => connection.setUp();
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
  const roster = new Roster(listeners.map(({ fd }) => fd));
  const { table } = roster;
  /** With --work: who has a line to be answered, in turn. */
  const queue: Connection[] = [];
  let nextSweep = 0;
  let isShort = false;

  async function run(): Promise<void> {
    while (shared.stoppedAt === undefined || roster.open > 0) {
      const someoneReady = table.poll(patience()) > 0;
      if (someoneReady) {
        // From the end: whoever leaves is replaced by the last, and the last has had its turn.
        for (let i = table.length - 1; i > 0; i--) {
          if (table.revents(i) === 0) continue;
          const connection = roster.connectionAt(i);
          if (connection) attend(connection, ready);
          else acceptFrom(table.fd(i));
        }
      }
      const hasDeadlines = patience() >= 0;
      if (hasDeadlines) sweep(someoneReady);
      const next = queue.shift();
      if (next) {
        next.queued = false;
        if (!next.closed) attend(next, answerLine);
      }
      if ((someoneReady && table.revents(0) !== 0) || log.isBehind) await sys.runEventLoop();
    }
    process.exit(0);
  }

  /** Takes clients out of a listener's backlog. */
  function acceptFrom(listener: number): void {
    for (let i = 0; i < ACCEPTS_IN_A_TURN && roster.isAccepting; i++) {
      let fd: number;
      try {
        fd = sys.accept(listener);
      } catch (error) {
        // The listener stays readable: to ask poll about it again at once would spin.
        if (!isShort) log.notice(`no new clients until one leaves: ${(error as Error).message}`);
        isShort = true;
        roster.setAccepting(false);
        return;
      }
      if (fd < 0) return;
      isShort = false;
      welcome(fd);
    }
  }

  function welcome(fd: number): void {
    const peer = () => sys.peerOf(fd);
    if (roster.open >= options.maxConnections) {
      log.refused(peer, `${options.maxConnections} connections are open`);
      sys.close(fd);
      return;
    }
    const connection = new Connection(fd, shared, log.connected(peer));
    roster.add(fd, connection);
    attend(connection, setUp);
  }

  /** Lets a connection do what it can do now, and asks poll about what it waits for next. */
  function attend(connection: Connection, act: (connection: Connection) => void): void {
    try {
      act(connection);
    } catch (error) {
      if (!(error instanceof sys.SocketError)) throw error;
      connection.close(error.code);
    }
    if (connection.closed) {
      roster.remove(connection);
      if (!roster.isAccepting && shared.stoppedAt === undefined) roster.setAccepting(true);
      return;
    }
    table.setEvents(connection.index, connection.events);
    if (connection.hasLine && !connection.queued) {
      connection.queued = true;
      queue.push(connection);
    }
  }

  /** Milliseconds until something is due that wakes nobody; -1 for never. */
  function patience(): number {
    if (queue.length > 0) return 0;
    if (shared.stoppedAt !== undefined) return 10;
    if (shared.lingering > 0) return 100;
    if (!roster.isAccepting) return ANOTHER_TRY;
    return options.idleTimeout > 0 ? Math.min(Math.ceil(options.idleTimeout / 4), 1000) : -1;
  }

  /** Looks at the clock for everybody: silence, lingering and the end have their limits. */
  function sweep(someoneReady: boolean): void {
    const now = performance.now();
    if (now < nextSweep) return;
    nextSweep = now + Math.max(patience(), 10);
    if (!roster.isAccepting && shared.stoppedAt === undefined) roster.setAccepting(true);
    for (const each of roster.everybody()) {
      const hasInput = someoneReady && table.revents(each.index) !== 0;
      attend(each, () => each.checkTime(now, hasInput));
    }
  }

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${roster.open} open`);
    shared.stoppedAt = performance.now();
    nextSweep = 0;
    roster.closeListeners();
  });

  log.listening(listeners.map(({ at }) => at));
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run);
});
