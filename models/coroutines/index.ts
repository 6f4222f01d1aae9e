/**
 * coroutines: each client has its own program, which reads as if it blocked. The program is a generator. It
 * waits in `yield`, and a scheduler of sixty lines over epoll(7) resumes it: this is what async and await are
 * made of. The same without options, log, limits and signals is core.ts.
 *
 * What ends a client from outside, a time-out say, is an error that is thrown into its program, at the
 * `yield` in which it waits.
 */
import { LISTEN_BACKLOG, LOOPBACK, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import { Shared } from '../../raw-net/shared.ts';
import * as sys from '../../sockets/index.ts';
import { Client } from './client.ts';
import { accept, sleep } from './routines.ts';
import { type Routine, Scheduler } from './scheduler.ts';

/** New clients taken in one turn of the loop at most: those who are connected wait meanwhile. */
const ACCEPTS_IN_A_TURN = 64;

/** How soon accept is tried again when there was no free descriptor. */
const RETRY_MS = 100;

const model: Model = { name: 'coroutines', summary: 'a generator for each client, over epoll(7)' };

await main(model, async (options) => {
  const log = new Log(options);
  const shared = new Shared(options, log);
  const buffer = shared.receiveBuffer();
  const listeners = await listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  for (const { fd } of listeners) sys.setNonBlocking(fd);
  const scheduler = new Scheduler();
  const clients = new Set<Client>();
  let hasEvents = false;

  /** The program of a listener. */
  function* listen(listener: number): Routine {
    for (let i = 1; shared.stoppedAt === undefined; i++) {
      try {
        if (i % ACCEPTS_IN_A_TURN === 0) yield* sleep(0);
        welcome(yield* accept(listener)); // waits for a client
      } catch (error) {
        shared.cannotAccept((error as sys.SocketError).message);
        yield* sleep(RETRY_MS);
      }
    }
  }

  function welcome(fd: number): void {
    const entry = shared.admit(fd, clients.size);
    if (!entry) return;
    sys.setNonBlocking(fd);
    const client = new Client(fd, shared, scheduler, clients, entry);
    clients.add(client);
    client.task = scheduler.start(client.serve(buffer));
  }

  /** Node's own event loop, which has a descriptor, too. */
  function* listenToNode(): Routine {
    for (const fd = sys.eventLoopDescriptor(); ; hasEvents = true) {
      yield { fd, events: sys.POLLIN };
    }
  }

  async function run(): Promise<void> {
    scheduler.start(listenToNode());
    for (const { fd } of listeners) scheduler.start(listen(fd));
    while (shared.stoppedAt === undefined || clients.size > 0) {
      scheduler.turn(shared.sweepInterval); // the only place that waits, for all of them
      const now = performance.now();
      if (shared.isSweepDue(now)) for (const each of [...clients]) each.checkTime(now);
      if (hasEvents || log.isBehind) await sys.runEventLoop();
      hasEvents = false;
    }
    await log.flush();
    process.exit(0);
  }

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${clients.size} open`);
    shared.stop();
    for (const { fd } of listeners) sys.close(fd);
  });

  log.listening(listeners.map(({ at }) => at));
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run);
});
