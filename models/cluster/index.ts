/**
 * cluster: several processes share the port. Each worker accepts from the same listener and serves its
 * clients in an event loop of its own; the kernel gives a new client to a worker that is waiting.
 *
 * The primary serves nobody. It starts the workers, and starts another one when one dies.
 */
import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOOPBACK, listenOnAll } from '../../echo/addresses.ts';
import { linesOf } from '../../echo/framing.ts';
import { Log } from '../../echo/log.ts';
import { die, main } from '../../echo/main.ts';
import type { Model, Options } from '../../echo/options.ts';
import { GRACE_MS, onShutdown } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import {
  type Connection,
  closed,
  listen,
  nextTurn,
  type Service,
  serve,
} from '../../node-net/index.ts';
import { Gatekeeper, remoteAdmission } from './admission.ts';

/** A worker that dies before it listens, or within so many milliseconds of that, died at once … */
const AT_ONCE = 1000;
/** … and after so many of those in a row another one would be no better. */
const DEATHS = 5;

// A worker that is killed takes only its own clients along when it accepts for itself. Handed out by
// the primary (SCHED_RR), clients on their way to it would be lost as well.
cluster.schedulingPolicy = cluster.SCHED_NONE;

const model: Model = {
  name: 'cluster',
  summary: 'several processes share the port',
  workers: 'processes',
};

await main(model, (options) => (cluster.isPrimary ? primary(options) : worker(options)));

async function primary(options: Options): Promise<void> {
  const log = new Log(options);
  const gatekeeper = new Gatekeeper(options.maxConnections);
  // Whether these addresses are to be had is found out here, once; port 0 becomes a number.
  const found = await listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => listen(at, ipv6Only, (socket) => socket.destroy()),
    ({ server }) => closed(server),
  );
  await Promise.all(found.map(({ server }) => closed(server)));
  const port = String(found[0]?.at.port);
  cluster.setupPrimary({ args: [...process.argv.slice(2), '--port', port] });

  let announced = false;
  let stopping = false;
  let deaths = 0;

  /** Starts a worker. Resolves when it listens, or when the one that took its place does. */
  function start(): Promise<void> {
    return new Promise((ready) => {
      const worker = cluster.fork();
      let listeners = 0;
      let readyAt = Number.POSITIVE_INFINITY;
      worker.on('listening', () => {
        if (++listeners < found.length) return;
        readyAt = performance.now();
        ready();
        if (announced) worker.send('log');
      });
      worker.on('message', (message) => gatekeeper.answer(worker, message));
      worker.on('error', () => {}); // a message to a worker that has just died
      worker.once('exit', (code, signal) => {
        gatekeeper.forget(worker);
        if (stopping) return;
        deaths = performance.now() - readyAt < AT_ONCE ? deaths + 1 : 0;
        const how = signal ?? `exit code ${code}`;
        if (deaths === DEATHS)
          giveUp(`${DEATHS} workers in a row died at once, the last with ${how}`);
        log.notice(`worker ${worker.process.pid} died (${how}); another one takes its place`);
        start().then(ready);
      });
    });
  }

  onShutdown(async (signal) => {
    stopping = true;
    log.notice(`${signal}: stopping`);
    const workers = Object.values(cluster.workers ?? {}) as Worker[];
    const gone = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of workers) worker.send('stop');
    await Promise.race([Promise.all(gone), sleep(GRACE_MS + 300)]);
    for (const worker of workers) worker.process.kill('SIGKILL');
    process.exit(0);
  });

  await Promise.all(Array.from({ length: options.workers }, start));
  log.listening(found.map(({ at }) => at));
  announced = true;
  for (const worker of Object.values(cluster.workers ?? {})) worker?.send('log');
}

function giveUp(message: string): never {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
  die('cluster', Object.assign(new Error(message), { code: 'ERR_WORKERS_DIE' }));
}

async function worker(options: Options): Promise<void> {
  // The first line is the primary's: what this process logs waits until that is written.
  process.stdout.cork();
  const log = new Log(options, `${process.pid}/`);
  const speed = options.work > 0 ? measureSpeed() : 0;

  function echo(client: Connection): void {
    client.socket.on('data', (chunk) => {
      const lines = client.framer.push(chunk);
      const outstanding = options.work > 0 ? workOff(client, lines) : client.write(lines);
      if (outstanding) {
        client.pause(); // who does not read is not read from
        outstanding.then(() => settle(client));
      } else {
        settle(client);
      }
    });
  }

  function settle(client: Connection): void {
    client.finishIfOverlong();
    client.resume();
  }

  /** With --work: the lines one by one, each in a turn of its own, so that others come in between. */
  async function workOff(client: Connection, lines: readonly Buffer[]): Promise<void> {
    for (const line of linesOf(Buffer.concat(lines), options.endOfLine)) {
      await nextTurn();
      if (client.isOver) return;
      burn(line, options.work, speed);
      await client.write([line]);
    }
  }

  const hasLimit = Number.isFinite(options.maxConnections);
  let service: Service | undefined;
  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    await service?.stop();
    process.exit(0);
  }
  onShutdown(stop);
  process.on('message', (message) => {
    if (message === 'stop') stop();
    if (message === 'log') process.stdout.uncork();
  });
  service = await serve(options, log, echo, hasLimit ? remoteAdmission() : undefined);
}
