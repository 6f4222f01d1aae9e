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
import { onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';
import { Connection, Shared } from './connection.ts';
import { Roster } from './roster.ts';

/** New clients taken in one turn at most: those who are connected wait meanwhile. */
const ACCEPTS_IN_A_TURN = 64;

/** Milliseconds after which it tries again when no descriptor is free and no client is there to leave. */
const ANOTHER_TRY = 1000;

const ready = (connection: Connection) => connection.ready();
const answerLine = (connection: Connection) => connection.answerLine();

await main('poll-loop', async (options) => {
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
      const next = queue.shift();
      if (next) {
        next.queued = false;
        if (!next.closed) attend(next, answerLine);
      }
      if (patience() >= 0) sweep(someoneReady);
      if (someoneReady && table.revents(0) !== 0) await sys.runEventLoop();
    }
    process.exit(0);
  }

  /** Takes clients out of a listener's backlog. */
  function acceptFrom(listener: number): void {
    for (let i = 0; i < ACCEPTS_IN_A_TURN && roster.isAccepting; i++) {
      try {
        const fd = sys.accept(listener);
        if (fd < 0) return;
        welcome(fd);
      } catch (error) {
        // The listener stays readable: to ask poll about it again at once would spin.
        log.notice(`no new clients until one leaves: ${(error as Error).message}`);
        roster.setAccepting(false);
        nextSweep = performance.now() + ANOTHER_TRY;
      }
    }
  }

  function welcome(fd: number): void {
    const peer = () => sys.peerOf(fd);
    if (roster.open >= options.maxConnections) {
      log.refused(peer, `${options.maxConnections} connections are open`);
      sys.close(fd);
      return;
    }
    sys.setNonBlocking(fd);
    sys.setsockopt(fd, sys.TCP_NODELAY, 1);
    roster.add(fd, new Connection(fd, shared, log.connected(peer)));
  }

  /** Lets a connection do what it can do now, and asks poll about what it waits for next. */
  function attend(connection: Connection, act: (connection: Connection) => void): void {
    try {
      act(connection);
    } catch (error) {
      connection.close((error as sys.SocketError).code);
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
    if (!roster.isAccepting && roster.open === 0) return ANOTHER_TRY;
    return options.idleTimeout > 0 ? Math.min(options.idleTimeout / 4, 1000) : -1;
  }

  /** Looks at the clock for everybody: silence, lingering and the end have their limits. */
  function sweep(someoneReady: boolean): void {
    const now = performance.now();
    if (now < nextSweep) return;
    nextSweep = now + Math.max(patience(), 10);
    const isNobodyToLeave = roster.open === 0 && shared.stoppedAt === undefined;
    if (isNobodyToLeave && !roster.isAccepting) roster.setAccepting(true);
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
