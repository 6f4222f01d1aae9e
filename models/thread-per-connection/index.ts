/**
 * thread-per-connection: each client has a thread of its own, which waits in recv(2) and send(2) for nobody else.
 * The program of a thread (thread.ts) is that of `blocking`; it is the kernel that runs many of them side by
 * side. The same without options, log, limits and signals is core.ts.
 *
 * The main thread accepts. It owns all descriptors: it lends one to a thread that is ready, and closes it when the
 * thread is done. So the number cannot belong to the next client while a thread still uses it.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Acceptor } from '../../blocking-net/acceptor.ts';
import { settingsOf } from '../../blocking-net/echo.ts';
import { javascriptOf } from '../../blocking-net/javascript.ts';
import { endWith, LAST_REPORTS_MS } from '../../blocking-net/report.ts';
import { type ConnectionLog, Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import { GRACE_MS, onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';
import { CLIENT, LEAVE, type Message, newMailbox, STOP, type Task, THREAD_ID } from './mailbox.ts';

/** So many threads are to be ready before a client comes, because a thread takes a while to start. */
const SPARE = 8;
/** The most that start at the same time. To start is work: more than the cores can do would only be left over. */
const MOST_STARTING = Math.min(2 * availableParallelism(), 32);
/** The most that are kept ready when their clients have left. */
const MOST_READY = 64;
/** How long those beyond `SPARE` are kept. */
const IDLE_MS = 60_000;

interface Thread {
  readonly mailbox: Int32Array;
  client?: { readonly fd: number; readonly entry: ConnectionLog } | undefined;
  /** By `performance.now()`; undefined while it starts. */
  readySince?: number;
}

const summary = 'a thread for each client, in blocking recv(2) and send(2)';
await main({ name: 'thread-per-connection', summary, maxConnections: 256 }, async (options) => {
  const log = new Log(options);
  const acceptor = await Acceptor.listen(options, log);
  const program = javascriptOf(new URL('./thread.ts', import.meta.url));
  const settings = settingsOf(options);

  const threads = new Set<Thread>();
  /** Threads without a client. The one that had a client last is the last, and gets the next. */
  const ready: Thread[] = [];
  /** How many start at the same time: one, unless a crowd has come. It doubles when a client takes the last that is ready. */
  let rate = 1;

  /** Starts a thread. Resolves when it is ready. */
  function start(): Promise<void> {
    const thread: Thread = { mailbox: newMailbox() };
    const workerData: Task = { ...settings, mailbox: thread.mailbox };
    const worker = new Worker(program, { workerData, execArgv: [], env: {} });
    threads.add(thread);
    worker.on('exit', () => {
      threads.delete(thread);
      if (ready.includes(thread)) ready.splice(ready.indexOf(thread), 1);
      takeBack(thread, endWith('its thread died'));
    });
    return new Promise((resolve, reject) => {
      worker.on('error', (error) => {
        if (thread.readySince) log.notice(`a thread died: ${error.message}`);
        reject(error);
      });
      worker.on('message', (message: Message) => {
        if (message === 'ready') {
          thread.readySince = performance.now();
          ready.push(thread);
          resolve();
        } else if ('unfinished' in message) thread.client?.entry.hint(message.unfinished);
        else takeBack(thread, message.end);
      });
    });
  }

  /** The thread sleeps in a futex(2) in its mailbox: this wakes it. */
  function deliver(thread: Thread, mail: number): void {
    Atomics.store(thread.mailbox, CLIENT, mail);
    Atomics.notify(thread.mailbox, CLIENT);
  }

  function lend(fd: number): boolean {
    const thread = ready.pop() as Thread;
    thread.client = { fd, entry: log.connected(sys.peerOf, fd) };
    deliver(thread, fd);
    if (ready.length === 0) rate = Math.min(2 * rate, MOST_STARTING);
    return true;
  }

  function takeBack(thread: Thread, end: Parameters<ConnectionLog['closed']>[0]): void {
    if (!thread.client) return;
    sys.close(thread.client.fd);
    thread.client.entry.closed(end);
    thread.client = undefined;
  }

  /** Starts threads, or ends one, so that enough are ready. @returns whether one is */
  function tend(): boolean {
    const starting = [...threads].filter(({ readySince }) => !readySince).length;
    if (ready.length >= SPARE) rate = 1;
    const missing = ready.length < SPARE ? rate - starting : 0;
    const wanted = Math.min(missing, options.maxConnections - threads.size);
    for (let i = 0; i < wanted; i++) start().catch((error) => acceptor.pause(error));
    const isOld = performance.now() - (ready[0]?.readySince ?? Infinity) > IDLE_MS;
    const isTooMany = ready.length > MOST_READY || (isOld && ready.length > SPARE);
    if (isTooMany) deliver(ready.shift() as Thread, LEAVE);
    return ready.length > 0;
  }

  const busy = () => [...threads].filter(({ client }) => client);

  /** Wakes the threads that wait for their clients until each has ended its connection, or there is no time left. */
  async function endThreads(): Promise<void> {
    process.on('SIGUSR2', () => {}); // what `wake` sends
    for (const { mailbox } of threads) Atomics.store(mailbox, STOP, 1);
    const deadline = performance.now() + GRACE_MS + LAST_REPORTS_MS;
    while (busy().length > 0 && performance.now() < deadline) {
      for (const { mailbox } of busy()) sys.wake(Atomics.load(mailbox, THREAD_ID));
      await sleep(20);
    }
    for (const thread of busy()) takeBack(thread, endWith('the server stops'));
  }

  // Node would wait for its threads, and one in recv(2) or send(2) cannot be ended.
  process.on('exit', (code) => sys.exitNow(code));

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${busy().length} open`);
    acceptor.stop();
  });

  await start();
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(async () => {
    await acceptor.run(tend, lend);
    await endThreads();
    await log.flush();
    process.exit(0);
  });
});
