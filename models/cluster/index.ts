/**
 * cluster, the pre-fork model: several processes share one listener. The primary opens it, forks the
 * workers and serves nobody; each worker (worker.ts) accepts for itself and serves its clients in an
 * event loop of its own. The kernel gives a new client to a worker that is waiting.
 *
 * The primary keeps the listener open for as long as it lives, and accepts from it never. So whatever
 * happens to the workers, new clients wait in the backlog for the next one.
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
import { Gatekeeper } from './admission.ts';
import type { Message, Terms } from './worker.ts';

/** A worker that dies before it listens, or within so many milliseconds of that, died at once … */
const AT_ONCE_MS = 1000;
/** … and after so many of those in a row another one would be no better. */
const DEATHS = 5;

const model: Model = {
  name: 'cluster',
  summary: 'several processes share the port',
  workers: 'processes',
};

await main(model, async (options) => {
  const log = new Log(options);
  const gatekeeper = new Gatekeeper(options.maxConnections);
  const listeners = await listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  // A worker that is killed takes only its own clients along when it accepts for itself. Handed out by
  // the primary (SCHED_RR), clients on their way to it would be lost as well.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('worker.ts', import.meta.url)),
    args: [],
    serialization: 'advanced', // options may be infinite
  });

  const ready = new Set<Worker>();
  let announced = false;
  let stopping = false;
  let deaths = 0;

  /** Starts a worker. Resolves when it listens, or when the one that took its place does. */
  function start(): Promise<void> {
    return new Promise((resolve) => {
      const worker = cluster.fork();
      let readyAt = Number.POSITIVE_INFINITY;
      worker.on('message', (message: Message) => {
        if (message === 'started') {
          // Duplicates, because node:cluster closes here what it has lent to a worker that dies.
          const lent = listeners.map(({ fd }) => sys.dup(fd));
          worker.send({ options, listeners: lent } satisfies Terms);
        } else if (message === 'listening') {
          readyAt = performance.now();
          ready.add(worker);
          resolve();
          if (announced) worker.send('log');
        } else {
          gatekeeper.answer(worker, message);
        }
      });
      worker.on('error', () => {}); // a message to a worker that has just died
      worker.once('exit', (code, signal) => {
        gatekeeper.forget(worker);
        ready.delete(worker);
        if (stopping) return;
        deaths = performance.now() - readyAt < AT_ONCE_MS ? deaths + 1 : 0;
        const how = signal ?? `exit code ${code}`;
        if (deaths === DEATHS) {
          const message = `${DEATHS} workers in a row died at once, the last with ${how}`;
          die(model.name, Object.assign(new Error(message), { code: 'ERR_WORKERS_DIE' }));
        }
        log.notice(`worker ${worker.process.pid} died (${how}); another one takes its place`);
        start().then(resolve);
      });
    });
  }

  // However the primary ends: no worker outlives it, and holds the port.
  process.on('exit', () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
  });

  onShutdown(async (signal) => {
    stopping = true;
    log.notice(`${signal}: stopping`);
    for (const { fd } of listeners) sys.close(fd);
    const gone = [...ready].map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of ready) worker.send('stop');
    await Promise.race([Promise.all(gone), sleep(GRACE_MS + 350)]);
    await log.flush();
    process.exit(0);
  });

  await Promise.all(Array.from({ length: options.workers }, start));
  if (stopping) return;
  log.listening(listeners.map(({ at }) => at));
  announced = true;
  for (const worker of ready) worker.send('log');
});
