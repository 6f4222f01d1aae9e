/**
 * One client's socket, as something to await: its lines, room for an answer, its FIN. One signal is aborted
 * when the connection has closed, for whatever reason, and every wait for the client ends with it.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../echo/log.ts';
import type { Options } from '../../echo/options.ts';
import { DRAIN_MS, GRACE_MS } from '../../echo/shutdown.ts';
import { Peer } from '../../node-net/index.ts';

type Lines = readonly Buffer[];
const END = { done: true, value: undefined } as const;

/** What `next` has promised. */
interface Promised {
  resolve(result: IteratorResult<Lines, void>): void;
  reject(reason: unknown): void;
}

/** An iterator over the complete lines that a client sends. A generator would be easier to read, but slower. */
export class Client extends Peer implements AsyncIterableIterator<Lines, void> {
  readonly #closed = new AbortController();
  /** Undefined while the task is busy. */
  #promised: Promised | undefined;
  #isStopping = false;

  constructor(socket: Socket, options: Options, log: Log) {
    super(socket, options, log);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('close', () => {
      this.#closed.abort();
      this.#promised?.reject(this.signal.reason);
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Aborted when the connection has closed. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** Whether the task is busy with an answer. */
  get owesAnswer(): boolean {
    return this.#promised === undefined;
  }

  /**
   * Waits for complete lines, until the client's FIN, an overlong line, or `stop`.
   *
   * @throws AbortError when the connection has closed
   */
  next(): Promise<IteratorResult<Lines, void>> {
    if (this.signal.aborted) return Promise.reject(this.signal.reason);
    const { socket, framer } = this;
    if (this.#isStopping || framer.overlong || socket.readableEnded) return Promise.resolve(END);
    if (socket.isPaused()) socket.resume();
    return new Promise((resolve, reject) => {
      this.#promised = { resolve, reject };
    });
  }

  #receive(chunk: Buffer): void {
    if (!this.#promised) {
      // Nobody asks for it, so the client is not read from until the task does. This is the backpressure.
      this.socket.pause();
      this.socket.unshift(chunk);
      return;
    }
    const lines = this.framer.push(chunk);
    this.hintIfDue();
    if (this.framer.overlong) this.reason ??= this.framer.overlongReason;
    if (lines.length > 0) this.#keepPromise({ done: false, value: lines });
    else if (this.framer.overlong) this.#keepPromise(END);
  }

  #keepPromise(result: IteratorResult<Lines, void>): void {
    const promised = this.#promised;
    this.#promised = undefined;
    promised?.resolve(result);
  }

  protected override endOfInput(): void {
    this.#keepPromise(END);
  }

  /** Waits until the kernel has taken everything. */
  async room(): Promise<void> {
    await once(this.socket, 'drain', { signal: this.signal });
  }

  /**
   * Sends our FIN and waits for the client's, for `GRACE_MS` at most. Closing with unread input would reset
   * the connection, and the client could lose answers that are on their way.
   */
  async finish(): Promise<void> {
    const { socket, signal } = this;
    const closed = once(signal, 'abort');
    await new Promise<void>((resolve) => socket.end(resolve));
    if (!socket.readableEnded) {
      socket.removeAllListeners('data').resume(); // what still comes is thrown away
      await sleep(GRACE_MS, undefined, { signal }); // unless its FIN closes the connection
      socket.destroy();
    }
    await closed;
  }

  /** Ends the iteration when nothing has come for a whole turn of the event loop, or after `DRAIN_MS`. */
  async stop(): Promise<void> {
    const deadline = performance.now() + DRAIN_MS;
    for (let isDone = false; !isDone && !this.signal.aborted; ) {
      const { bytesRead } = this.socket;
      await nextTurn();
      await nextTurn();
      isDone = !this.owesAnswer && this.socket.bytesRead === bytesRead;
      isDone ||= performance.now() > deadline;
      if (!isDone) await sleep(5);
    }
    if (!this.socket.readableEnded) this.reason ??= 'the server stops';
    this.#isStopping = true;
    this.#keepPromise(END);
  }
}
