/**
 * thread-per-connection: each client has a thread of its own, which waits in recv(2) and send(2) for nobody else.
 * The program of a thread (thread.ts) is that of `blocking`; it is the kernel that runs many of them side by
 * side. The same without options, log, limits and signals is core.ts.
 *
 * The main thread accepts. It owns all descriptors: it lends one to a thread that is ready, and closes it when the
 * thread is done. So it never shuts down a number that belongs to somebody else by now.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Acceptor } from '../../blocking-net/acceptor.ts';
import { javascriptOf } from '../../blocking-net/javascript.ts';
import { lost } from '../../blocking-net/report.ts';
import { type ConnectionLog, Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import { GRACE_MS, onShutdown } from '../../echo/shutdown.ts';
import { measureSpeed } from '../../echo/work.ts';
import * as sys from '../../sockets/index.ts';
import { CLIENT, LEAVE, type Message, newMailbox, STOP, type Task, THREAD_ID } from './mailbox.ts';

/** Threads that are ready before a client comes, because one takes a while to start. */
const SPARE = 2;
/** How long a thread beyond these stays when it has nothing to do. */
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
  const speed = options.work > 0 ? measureSpeed() : 0;
  const { maxLine, idleTimeout, endOfLine, work, wait } = options;
  const settings = { options: { maxLine, idleTimeout, endOfLine, work, wait }, speed };

  const threads = new Set<Thread>();
  /** Threads without a client. The one that had a client last is the last, and gets the next. */
  const ready: Thread[] = [];

  /** Starts a thread. Resolves when it is ready. */
  function start(): Promise<void> {
    const thread: Thread = { mailbox: newMailbox() };
    const workerData: Task = { ...settings, mailbox: thread.mailbox };
    const worker = new Worker(program, { workerData, execArgv: [], env: {} });
    threads.add(thread);
    worker.on('exit', () => {
      threads.delete(thread);
      if (ready.includes(thread)) ready.splice(ready.indexOf(thread), 1);
      takeBack(thread, lost('its thread died'));
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

  function lend(fd: number): void {
    const thread = ready.pop() as Thread;
    thread.client = { fd, entry: log.connected(() => sys.peerOf(fd)) };
    deliver(thread, fd);
  }

  function takeBack(thread: Thread, end: Parameters<ConnectionLog['closed']>[0]): void {
    if (!thread.client) return;
    sys.close(thread.client.fd);
    thread.client.entry.closed(end);
    thread.client = undefined;
  }

  /** Starts threads, or ends one, so that a few are ready. @returns whether one is */
  function tend(): boolean {
    const unready = [...threads].filter(({ readySince }) => !readySince).length;
    const wanted = Math.min(SPARE - ready.length - unready, options.maxConnections - threads.size);
    for (let i = 0; i < wanted; i++) start().catch((error) => acceptor.pause(error));
    const isOld = performance.now() - (ready[0]?.readySince ?? Infinity) > IDLE_MS;
    if (isOld && ready.length > SPARE) deliver(ready.shift() as Thread, LEAVE);
    return ready.length > 0;
  }

  const busy = () => [...threads].filter(({ client }) => client);

  /** Wakes the threads that wait for their clients until each has ended its connection, or there is no time left. */
  async function endThreads(): Promise<void> {
    process.on('SIGUSR2', () => {}); // what `wake` sends
    for (const { mailbox } of threads) Atomics.store(mailbox, STOP, 1);
    const deadline = performance.now() + GRACE_MS + 350;
    while (busy().length > 0 && performance.now() < deadline) {
      for (const { mailbox } of busy()) sys.wake(Atomics.load(mailbox, THREAD_ID));
      await sleep(20);
    }
  }

  // A thread in recv(2) or send(2) cannot be ended, and the process waits for its threads: this ends the call.
  process.on('exit', () => {
    for (const { client } of busy()) {
      try {
        if (client) sys.shutdown(client.fd, sys.SHUT_RDWR);
      } catch {} // the client has reset the connection: then no call waits
    }
  });

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${busy().length} open`);
    acceptor.stop();
  });

  await Promise.all(Array.from({ length: Math.min(SPARE, options.maxConnections) }, start));
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(async () => {
    await acceptor.run(tend, lend);
    await endThreads();
    await log.flush();
    process.exit(0);
  });
});
