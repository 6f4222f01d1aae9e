/**
 * worker-threads: the main thread owns the sockets, a pool of threads answers the lines. This is a thread
 * pool with one queue. The same without options, log, limits and signals is core.ts.
 *
 * The main thread never computes an answer, so it accepts and reads while lines cost CPU, and as many lines
 * are answered at once as there are threads. The price is two messages for each task, which cost more than
 * an echo. So without --work and --wait, all lines of one turn of the event loop are one task.
 *
 * A client has one task at a time, and its socket is paused meanwhile. That keeps its lines in order, and it
 * is the backpressure.
 */
import { Piscina } from 'piscina';
import { linesOf } from '../../echo/framing.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { measureSpeed } from '../../echo/work.ts';
import { type Connection, drained, runUntilSignal, serve } from '../../node-net/index.ts';
import type { Settings, Task } from './answer.ts';

/** When so many bytes are gathered, they go to the pool before the turn is over. */
const BATCH_BYTES = 64 * 1024;

const model: Model = {
  name: 'worker-threads',
  summary: 'the main thread owns the sockets, a pool of threads answers the lines',
  workers: 'threads',
};

await main(model, async (options) => {
  const log = new Log(options);
  const { work, wait, endOfLine, workers } = options;
  const linesCost = work > 0 || wait > 0;
  const pool = new Piscina<Task, Uint8Array>({
    filename: new URL('answer.ts', import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    // Idle threads wait for messages in their event loop: a wait on shared memory would freeze it.
    atomics: 'disabled',
    workerData: { work, wait, endOfLine, speed: work > 0 ? measureSpeed() : 0 } satisfies Settings,
  });
  // When a thread dies, the pool fails its task. A thread that had no task is reported here.
  pool.on('error', (error: Error) => log.notice(`a thread of the pool died: ${error.message}`));
  // A task for each thread, so that the first client does not wait for threads to start. If a thread dies
  // meanwhile, the pool replaces it, and its task is tried once more.
  const start = () => pool.run({ lines: new Uint8Array() });
  await Promise.all(Array.from({ length: workers }, () => start().catch(start)));

  /** The complete lines of this turn of the event loop, by client. */
  let gathered: { readonly client: Connection; readonly lines: Buffer }[] = [];
  let gatheredBytes = 0;

  function echo(client: Connection): void {
    client.socket.on('data', (chunk) => {
      const lines = client.framer.push(chunk);
      if (lines.length === 0) return client.settle();
      client.hold(); // one task at a time: order and backpressure
      if (linesCost) answerEach(client, Buffer.concat(lines));
      else gather(client, lines.length === 1 ? (lines[0] as Buffer) : Buffer.concat(lines));
    });
  }

  function gather(client: Connection, lines: Buffer): void {
    if (gathered.length === 0) setImmediate(answerTogether);
    gathered.push({ client, lines });
    gatheredBytes += lines.length;
    // An answer that a client does not read keeps the memory of its whole task alive.
    if (gatheredBytes >= BATCH_BYTES) answerTogether();
  }

  /** One task for all lines of a turn. */
  async function answerTogether(): Promise<void> {
    if (gathered.length === 0) return;
    const batch = gathered;
    gathered = [];
    gatheredBytes = 0;
    const answer = await inPool(batch.map(({ lines }) => lines));
    let start = 0;
    for (const { client, lines } of batch) {
      if (answer) send(client, answer.subarray(start, start + lines.length));
      else client.destroy('its thread died');
      start += lines.length;
    }
  }

  /** With --work or --wait: one task for each line, so that clients share the threads fairly. */
  async function answerEach(client: Connection, lines: Buffer): Promise<void> {
    const hasLeft = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const leave = () => {
      Atomics.store(hasLeft, 0, 1);
      Atomics.notify(hasLeft, 0);
    };
    client.socket.once('close', leave);
    for (const line of linesOf(lines, endOfLine)) {
      const answer = await inPool([line], hasLeft);
      if (!answer) client.destroy('its thread died');
      if (!answer || !client.isOpen) return;
      client.socket.write(answer);
      await drained(client.socket);
    }
    client.socket.off('close', leave);
    client.settle();
  }

  /** @returns undefined when the thread died with the lines; the pool has replaced it */
  async function inPool(
    lines: readonly Buffer[],
    hasLeft?: Int32Array,
  ): Promise<Uint8Array | undefined> {
    const bytes = transferable(lines);
    const task: Task = hasLeft ? { lines: bytes, hasLeft } : { lines: bytes };
    try {
      return await pool.run(task, { transferList: [bytes.buffer] });
    } catch (error) {
      log.notice(`a thread of the pool died: ${(error as Error).message}`);
      return undefined;
    }
  }

  runUntilSignal(await serve(options, log, echo), log);
});

/** Sends an answer, and reads on when the kernel has taken it. This is the backpressure. */
function send(client: Connection, answer: Uint8Array): void {
  const { socket } = client;
  if (!client.isOpen) return;
  socket.write(answer);
  if (socket.writableLength === 0) client.settle();
  else socket.once('drain', () => client.settle());
}

/** All pieces in one buffer of its own (not in Node's shared pool), which can be transferred to a thread. */
function transferable(pieces: readonly Buffer[]): Buffer<ArrayBuffer> {
  const whole = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) end += piece.copy(whole, end);
  return whole;
}
