/** Clients that send and read as fast as they can, each in a thread of its own: one thread cannot keep a server busy. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Target } from './check.ts';
import { Lens } from './lens.ts';

/** So many, beside the one that floods in the suite's own thread. */
const CLIENTS = 3;

export class Flood {
  readonly #workers: readonly Worker[];
  readonly #received: BigInt64Array;

  private constructor(workers: readonly Worker[], received: BigInt64Array) {
    this.#workers = workers;
    this.#received = received;
  }

  /**
   * Connects them. They begin when each of them has got an answer: who comes later may get none.
   *
   * @param block - complete lines, sent again and again
   * @param ahead - how many bytes of each may be unanswered: more would be work for minutes on a slow server
   * @param most - how long to wait for those answers, in milliseconds
   */
  static async start(
    { host, port, lineEnds }: Target,
    block: Uint8Array,
    ahead: number,
    most: number,
  ): Promise<Flood> {
    const received = new BigInt64Array(new SharedArrayBuffer(8 * CLIENTS));
    const lines = lineEnds ? new Lens(lineEnds).sent(block) : block;
    const workers = Array.from({ length: CLIENTS }, (_, i) => {
      const workerData = { host, port, lines, ahead, received, i };
      return new Worker(FLOODER, { eval: true, workerData, execArgv: [] });
    });
    const answers = workers.map(
      (worker) =>
        new Promise<void>((resolve) => {
          for (const event of ['message', 'error', 'exit']) worker.on(event, () => resolve());
        }),
    );
    const timer = new AbortController();
    const timeout = sleep(most, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([Promise.all(answers), timeout]);
    timer.abort();
    for (const worker of workers) worker.postMessage('go');
    return new Flood(workers, received);
  }

  /** How many bytes they have received in all. */
  get received(): number {
    return this.#received.reduce((sum, one) => sum + Number(one), 0);
  }

  /** Ends them, and their connections. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** What one of them does. */
const FLOODER = `
  const { connect } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const { host, port, lines, ahead, received, i } = workerData;
  let [sent, got, isFlooding] = [0, 0, false];
  const onread = {
    buffer: Buffer.allocUnsafe(256 * 1024),
    callback: (n) => {
      if (got === 0) parentPort.postMessage('answered');
      got += n;
      Atomics.add(received, i, BigInt(n));
      if (isFlooding) flood();
      return true;
    },
  };
  const socket = connect({ host, port, noDelay: true, onread });
  const send = () => {
    sent += lines.length;
    socket.write(lines);
  };
  const flood = () => {
    while (sent - got < ahead) send();
  };
  send();
  parentPort.once('message', () => {
    isFlooding = true;
    flood();
  });
  socket.on('error', () => process.exit());
  socket.on('close', () => process.exit());`;
