/**
 * epoll-loop: one loop waits for all sockets at once, in epoll_wait(2). It is a reactor with level-triggered
 * readiness, as poll-loop is, with one difference: the kernel keeps the list of sockets between the waits,
 * and each wait returns only those that are ready. So a silent client costs no time. The same without
 * options, log, limits and signals is core.ts.
 *
 * The kernel is told what to wait for on each socket: EPOLLIN (there is input) while nothing is pending to
 * that client, EPOLLOUT (there is room) while something is, and never both. That one rule is the
 * backpressure: a client that does not read is not read from. It seldom changes, because most clients read
 * their answers.
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
import { InterestList } from './interest-list.ts';

// Made once: the loop allocates nothing for an event.
const ready = (connection: Connection) => connection.ready();
const checkTime = (connection: Connection) => connection.checkTime();
const answerLine = (connection: Connection) => connection.answerLine();

const model: Model = { name: 'epoll-loop', summary: 'one loop over epoll(7) serves all clients' };

await main(model, async (options) => {
  const shared = new Shared<Connection>(options);
  const listeners = await openListeners(options);
  for (const { fd } of listeners) sys.setNonBlocking(fd);
  const list = new InterestList(listeners.map(({ fd }) => fd));
  /** With --wait and --work: whose line is answered next. */
  const lines = new LineQueue(options.wait);
  const acceptor = new Acceptor(list, shared);

  async function run(): Promise<void> {
    const { epoll, eventLoop } = list;
    while (shared.isServing) {
      const count = epoll.wait(shared.timeout(lines.timeout)); // the only place that waits
      let hasEvents = false;
      for (let i = 0; i < count; i++) {
        const fd = epoll.data(i);
        const connection = shared.connections.of(fd);
        if (connection) attend(connection, ready);
        else if (fd === eventLoop) hasEvents = true;
        else acceptor.acceptFrom(fd);
      }
      if (shared.isSweepDue()) {
        acceptor.resume();
        for (const each of shared.connections) attend(each, checkTime);
      }
      const next = lines.take();
      if (next) attend(next, answerLine);
      if (hasEvents || shared.log.isBehind) await sys.runEventLoop();
    }
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
      acceptor.resume();
      return;
    }
    list.update(connection);
    if (connection.isLineNext && !connection.isQueued) lines.add(connection);
  }

  begin(shared, listeners, run);
});
