/**
 * epoll-loop: one loop waits for all sockets at once, in epoll_wait(2). A reactor with level-triggered
 * readiness, as poll-loop is, with one difference: the kernel keeps the list of sockets between the waits,
 * and each wait returns only those that are ready. A silent client costs nothing. The same without options,
 * log, limits and signals is core.ts.
 *
 * What is asked about a socket seldom changes: EPOLLIN (tell me when there is input) while nothing is
 * pending to that client, EPOLLOUT (tell me when there is room) while something is, and never both. That
 * one rule is the backpressure: a client that does not read is not read from.
 */
import { LISTEN_BACKLOG, LOOPBACK, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import { Acceptor } from '../../raw-net/acceptor.ts';
import type { Connection } from '../../raw-net/connection.ts';
import { LineQueue } from '../../raw-net/line-queue.ts';
import { Shared } from '../../raw-net/shared.ts';
import * as sys from '../../sockets/index.ts';
import { InterestList } from './interest-list.ts';

// Made once: the loop allocates nothing for an event.
const ready = (connection: Connection) => connection.ready();
const answerLine = (connection: Connection) => connection.answerLine();

const model: Model = { name: 'epoll-loop', summary: 'one loop over epoll(7) serves all clients' };

await main(model, async (options) => {
  const log = new Log(options);
  const shared = new Shared(options, log);
  const listeners = await listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  for (const { fd } of listeners) sys.setNonBlocking(fd);
  const list = new InterestList(listeners.map(({ fd }) => fd));
  /** With --wait and --work: whose line is answered next. */
  const lines = new LineQueue(options.wait);
  const acceptor = new Acceptor(list, shared);

  async function run(): Promise<void> {
    const { epoll, eventLoop } = list;
    while (shared.stoppedAt === undefined || list.open > 0) {
      const count = epoll.wait(timeout()); // the only place that waits
      let hasEvents = false;
      for (let i = 0; i < count; i++) {
        const fd = epoll.data(i);
        const connection = list.connectionOf(fd);
        if (connection) attend(connection, ready);
        else if (fd === eventLoop) hasEvents = true;
        else acceptor.acceptFrom(fd);
      }
      if (shared.sweepInterval < Infinity) sweep();
      const next = lines.take();
      if (next) attend(next, answerLine);
      if (hasEvents || log.isBehind) await sys.runEventLoop();
    }
    await log.flush();
    process.exit(0);
  }

  /** Lets a connection do what it can do now, and tells the kernel what it waits for next. */
  function attend(connection: Connection, act: (connection: Connection) => void): void {
    try {
      act(connection);
    } catch (error) {
      if (!(error instanceof sys.SocketError)) throw error;
      connection.close(error.code);
    }
    if (connection.closed) {
      list.remove(connection);
      acceptor.resume();
      return;
    }
    list.update(connection);
    if (connection.isLineNext && !connection.isQueued) lines.add(connection);
  }

  /** For epoll_wait(2): milliseconds until the next deadline that no descriptor will signal; -1 for never. */
  function timeout(): number {
    const next = Math.min(lines.timeout, shared.sweepInterval);
    return next < Infinity ? Math.ceil(next) : -1;
  }

  /** Looks at the clock for everybody. */
  function sweep(): void {
    const now = performance.now();
    if (!shared.isSweepDue(now)) return;
    acceptor.resume();
    for (const each of list.all()) attend(each, () => each.checkTime(now));
  }

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${list.open} open`);
    shared.stop();
    list.closeListeners();
  });

  log.listening(listeners.map(({ at }) => at));
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run);
});
