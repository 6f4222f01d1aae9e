import type { Socket } from 'node:net';
import type { SocketAddressLike } from '../echo/addresses.ts';
import { LineFramer } from '../echo/framing.ts';
import type { Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { GRACE_MS } from '../echo/shutdown.ts';

/**
 * One client on a Node socket: what a model needs besides its concurrency. The model listens to
 * `socket`, feeds `framer`, and answers with `write`; while an answer is outstanding it pauses the
 * connection: that is its backpressure, and keeps the connection open after the client's FIN.
 */
export class Connection {
  readonly socket: Socket;
  readonly framer: LineFramer;
  #reason: string | undefined;
  #finishing = false;
  #paused = false;
  #ended = false;
  /** Why the connection is to be finished once the outstanding answer is given. */
  #finishReason: string | undefined;

  constructor(socket: Socket, options: Options, log: Log) {
    this.socket = socket;
    this.framer = new LineFramer(options.endOfLine, options.maxLine);
    const entry = log.connected(() => peerOf(socket));
    if (options.idleTimeout > 0) this.#endWhenSilent(options.idleTimeout);
    // Node reports the client's FIN on a paused socket, too: an answer may still be outstanding.
    socket.on('end', () => {
      this.#ended = true;
      if (!this.#paused) socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason ??= error.code ?? error.message;
    });
    socket.on('close', () => {
      entry.closed({
        reason: this.#reason ?? 'end of input',
        received: socket.bytesRead,
        sent: socket.bytesWritten - socket.writableLength,
        framer: this.framer,
      });
    });
  }

  /** Nothing more is to be read or answered. */
  get isOver(): boolean {
    return this.#finishing || this.socket.destroyed;
  }

  /** Neither answering nor sending. */
  get isIdle(): boolean {
    return !this.#paused && this.socket.writableLength === 0;
  }

  /** Reads no more for now: an answer is outstanding. */
  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  /** The answer is given: reads on, or ends the connection if the client has ended its side. */
  resume(): void {
    if (!this.#paused || this.isOver) return;
    this.#paused = false;
    if (this.#finishReason !== undefined) this.finish(this.#finishReason);
    else if (this.#ended) this.socket.end();
    else this.socket.resume();
  }

  #endWhenSilent(idleTimeout: number): void {
    const { socket } = this;
    socket.setTimeout(idleTimeout);
    socket.on('timeout', () => {
      const { bytesRead } = socket;
      // Input may have come while the event loop was busy with others: let it look first.
      setImmediate(() => {
        const waitsForUs = this.#paused && socket.writableLength === 0;
        if (waitsForUs || socket.bytesRead !== bytesRead) socket.setTimeout(idleTimeout);
        else this.destroy('idle');
      });
    });
  }

  /** Ends the connection if a line has grown beyond `--max-line`. */
  finishIfOverlong(): void {
    if (this.framer.overlong) this.finish(this.framer.overlongReason);
  }

  /**
   * Sends pieces in one system call.
   *
   * @returns undefined when the kernel took everything at once, as it mostly does; otherwise a promise
   *   that resolves when it has, or when the connection is over: until then, read no more
   */
  write(pieces: readonly Uint8Array[]): Promise<void> | undefined {
    const { socket } = this;
    if (this.isOver || pieces.length === 0) return undefined;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    // Not what write() returns: that compares with a limit, and is false when the kernel took it all.
    if (socket.writableLength === 0) return undefined;
    // An empty write is done when everything before it is.
    return new Promise((resolve) => socket.write('', () => resolve()));
  }

  /**
   * Reads no more, sends what is owed, then our FIN, and waits for the client's: to close with unread
   * input would reset the connection, and cost the client what is on its way.
   */
  finish(reason: string): void {
    const { socket } = this;
    if (this.isOver) return;
    this.#finishing = true;
    this.#reason ??= reason;
    socket.removeAllListeners('data');
    socket.pause();
    socket.end(() => {
      socket.resume();
      setTimeout(() => socket.destroy(), GRACE_MS).unref();
    });
  }

  /** As `finish`, when the answer that is outstanding has been given. */
  finishWhenAnswered(reason: string): void {
    if (this.#paused) this.#finishReason = reason;
    else this.finish(reason);
  }

  /** Closes at once. */
  destroy(reason: string): void {
    this.#reason ??= reason;
    this.socket.destroy();
  }
}

/** Who a client is, unless it is gone already. */
export function peerOf({
  remoteAddress: address,
  remotePort: port,
}: Socket): SocketAddressLike | undefined {
  return address && port ? { address, port } : undefined;
}
