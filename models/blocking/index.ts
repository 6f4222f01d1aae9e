/**
 * blocking: one client at a time, in blocking system calls. An iterative server: the process waits in
 * accept(2) for a client, then in recv(2) for its bytes, then in send(2) for room; the next client waits
 * in the backlog until this one has left. What it does for one client is in blocking-net/echo.ts. core.ts is
 * the same without options, log, limits and signals.
 *
 * The calls block the whole process, Node's event loop included. So that signals are handled nevertheless,
 * each call waits for 250 ms at most: blocking-net/signals.ts says why.
 */
import { blockingEcho, settingsOf } from '../../blocking-net/echo.ts';
import { Signals } from '../../blocking-net/signals.ts';
import { formatAddress, LISTEN_BACKLOG, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';

const model: Model = {
  name: 'blocking',
  summary: 'one client at a time, in blocking accept(2), recv(2) and send(2)',
  oneAddress: true,
};

await main(model, async (options) => {
  const log = new Log(options);
  const [first, ...others] = await listenOnAll(
    options,
    ['127.0.0.1'],
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  if (!first) throw new Error('no listener');
  const { fd: listener } = first;
  for (const { fd } of others) sys.close(fd); // a blocking accept waits on one socket

  const signals = new Signals();
  const echo = blockingEcho(settingsOf(options), signals);
  sys.setsockopt(listener, sys.SO_RCVTIMEO, signals.wakeUpMs);
  onShutdown((signal) => {
    signals.stop();
    log.notice(`${signal}: stopping`);
    // New clients are refused from now on. Clients that wait in the backlog are reset: nobody accepted them.
    sys.close(listener);
  });

  /** Whether accept failed, for want of a descriptor or memory. The log says so once. */
  let hasFailed = false;

  async function run(): Promise<void> {
    while (signals.stoppedAt === undefined) {
      const fd = await accept(); // waits
      if (fd >= 0) await serve(fd);
      await signals.handle();
    }
    await log.flush();
    process.exit(0);
  }

  /** @returns below 0 when the wait ended without a client, or accept failed */
  async function accept(): Promise<number> {
    try {
      const fd = sys.accept(listener);
      if (fd >= 0) hasFailed = false;
      return fd;
    } catch (error) {
      if (!hasFailed) log.notice(`no new client for now: ${(error as Error).message}`);
      hasFailed = true;
      await signals.pause(1000);
      return -1;
    }
  }

  /** Serves one client to its end. */
  async function serve(fd: number): Promise<void> {
    const entry = log.connected(sys.peerOf, fd);
    const end = await echo(fd, entry); // waits
    sys.close(fd);
    entry.closed(end);
  }

  log.listening([first.at]);
  for (const { at } of others) log.notice(`not listening on ${formatAddress(at)}: one socket only`);
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run);
});
