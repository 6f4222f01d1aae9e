/**
 * One thread: it sleeps until the acceptor has a client for it, serves that client to its end in blocking
 * calls, and sleeps again. It never runs an event loop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { blockingEcho } from '../../blocking-net/echo.ts';
import { BUSY_MS, type Interruptions } from '../../blocking-net/interruptions.ts';
import { endOf, remoteLog } from '../../blocking-net/report.ts';
import { gettid } from '../../sockets/index.ts';
import { CLIENT, LEAVE, type Message, NOBODY, STOP, type Task, THREAD_ID } from './mailbox.ts';

const { mailbox, ...settings } = workerData as Task;
const tell = (message: Message) => parentPort?.postMessage(message);

/** The mailbox says that the server stops, and the acceptor interrupts the call in which this thread waits. */
class Mail implements Interruptions {
  /** An hour. Without any timeout, the kernel would restart the call that was interrupted. */
  readonly wakeUpMs = 3_600_000;
  stoppedAt: number | undefined;
  #lookedAt = performance.now();

  get areDue(): boolean {
    return performance.now() - this.#lookedAt > BUSY_MS;
  }

  async handle(): Promise<void> {
    this.#lookedAt = performance.now();
    if (Atomics.load(mailbox, STOP) === 1) this.stoppedAt ??= this.#lookedAt;
  }
}

const echo = blockingEcho(settings, new Mail());
Atomics.store(mailbox, THREAD_ID, gettid());
for (;;) {
  tell('ready');
  Atomics.wait(mailbox, CLIENT, NOBODY); // sleeps until there is a client
  const client = Atomics.exchange(mailbox, CLIENT, NOBODY);
  if (client === LEAVE) break;
  tell(endOf(await echo(client, remoteLog(tell)))); // sleeps in recv(2) and send(2)
}
