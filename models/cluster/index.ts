/**
 * cluster, the pre-fork model: several processes share one listener. The primary opens it, forks the
 * workers and serves nobody. Each worker (worker.ts) accepts for itself and serves its clients in an
 * event loop of its own. The kernel gives a new client to a worker that is waiting. The same without
 * options, log, limits and signals is core.ts.
 *
 * The primary keeps the listener open as long as it runs, and never accepts from it. So when a worker dies,
 * even the last one, new clients wait in the backlog until another worker accepts them.
 */
import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LISTEN_BACKLOG, LOOPBACK, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { die, main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { GRACE_MS, onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';
import type { Message, Order, Settings } from './worker.ts';

/** A worker that dies before it listens, or this soon after that, has failed to start. */
const START_MS = 1000;
/** When so many workers in a row have failed to start, the primary gives up. */
const MAX_FAILED_STARTS = 5;
/** How long the primary waits beyond `GRACE_MS`, while workers close the last connections and log them. */
const LAST_WORDS_MS = 500;

const model: Model = {
  name: 'cluster',
  summary: 'several processes share the port',
  workers: 'processes',
};

await main(model, async (options) => {
  const log = new Log(options);
  const listeners = await listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  // Each worker accepts for itself, so a worker that is killed loses only the clients that it has accepted.
  // If the primary handed clients out (SCHED_RR), those on their way to that worker would be lost, too.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('worker.ts', import.meta.url)),
    args: [],
    serialization: 'advanced', // options may be infinite
  });

  let permits = options.maxConnections; // for the clients of all workers together
  const ready = new Set<Worker>();
  let announced = false;
  let stopping = false;
  let failedStarts = 0;

  /** Starts a worker. Resolves when it listens; if it dies before, when its replacement does. */
  function start(): Promise<void> {
    return new Promise((resolve) => {
      const worker = cluster.fork();
      let readyAt = Number.POSITIVE_INFINITY;
      let permitsHeld = 0;
      worker.on('message', (message: Message) => {
        if (worker.isDead()) return; // its permits are back already
        if (message === 'started') {
          if (stopping) return;
          // node:cluster closes a worker's listeners here when it dies, so each worker gets duplicates.
          const duplicates = listeners.map(({ fd }) => sys.dup(fd));
          worker.send({ options, listeners: duplicates } satisfies Settings);
        } else if (message === 'listening') {
          readyAt = performance.now();
          ready.add(worker);
          resolve();
          if (announced) worker.send('log' satisfies Order);
        } else if (message === 'admit' && permits > 0) {
          permits--;
          permitsHeld++;
          worker.send('admitted' satisfies Order);
        } else if (message === 'admit') {
          worker.send('refused' satisfies Order);
        } else if (message === 'release') {
          permits++;
          permitsHeld--;
        }
      });
      worker.on('error', () => {}); // a message to a worker that has just died
      worker.once('exit', (code, signal) => {
        permits += permitsHeld;
        ready.delete(worker);
        if (stopping) return;
        failedStarts = performance.now() - readyAt < START_MS ? failedStarts + 1 : 0;
        const how = signal ?? `exit code ${code}`;
        if (failedStarts === MAX_FAILED_STARTS) {
          const message = `${MAX_FAILED_STARTS} workers in a row died at once, the last with ${how}`;
          die(model.name, Object.assign(new Error(message), { code: 'ERR_WORKERS_DIE' }));
        }
        log.notice(`worker ${worker.process.pid} died (${how}); another one takes its place`);
        start().then(resolve);
      });
    });
  }

  // No worker outlives the primary and holds the port. (When the primary is killed, no code of it runs. But
  // its channel to the workers closes then, and node:cluster ends a worker whose channel is closed.)
  process.on('exit', () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
  });

  onShutdown(async (signal) => {
    stopping = true;
    log.notice(`${signal}: stopping`);
    for (const { fd } of listeners) sys.close(fd);
    for (const worker of Object.values(cluster.workers ?? {})) {
      if (worker && !ready.has(worker)) worker.process.kill('SIGKILL'); // it serves nobody yet
    }
    const gone = [...ready].map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of ready) worker.send({ stopBy: Date.now() + GRACE_MS } satisfies Order);
    await Promise.race([Promise.all(gone), sleep(GRACE_MS + LAST_WORDS_MS)]);
    await log.flush();
    process.exit(0);
  });

  await Promise.all(Array.from({ length: options.workers }, start));
  if (stopping) return;
  log.listening(listeners.map(({ at }) => at));
  announced = true;
  for (const worker of ready) worker.send('log' satisfies Order);
});
