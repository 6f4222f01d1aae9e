import type { Socket } from 'node:net';
import type { SocketAddressLike } from '../echo/addresses.ts';
import { LineFramer } from '../echo/framing.ts';
import type { ConnectionLog, Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { GRACE_MS } from '../echo/shutdown.ts';

/**
 * Where a connection stands:
 *
 * - `reading`: every complete line that was received has been answered.
 * - `answering`: an answer is outstanding, and the socket is paused. This is the backpressure.
 * - `lingering`: no more lines are answered. Our FIN follows the output that is pending; then input is
 *   thrown away until the client's FIN, because closing with unread input would reset the connection, and
 *   the client could lose answers that are on their way.
 * - `closed`.
 */
export type Phase = 'reading' | 'answering' | 'lingering' | 'closed';

/**
 * One client on a Node socket, without the concurrency: that is the model's. The model listens to
 * `socket`, feeds `framer` and writes the answers. It calls `hold` when an answer takes time, and
 * `settle` when every complete line has been answered.
 */
export class Connection {
  readonly socket: Socket;
  readonly framer: LineFramer;
  readonly #log: ConnectionLog;
  #hintTimer: NodeJS.Timeout | undefined;
  /** Why the server ends the connection, once it has decided to. */
  #reason: string | undefined;
  #phase: Phase = 'reading';
  #bytesMoved = 0;
  #movedAt = performance.now();

  constructor(socket: Socket, options: Options, log: Log) {
    this.socket = socket;
    this.framer = new LineFramer(options.endOfLine, options.maxLine);
    this.#log = log.connected(() => peerOf(socket));
    socket.on('end', () => {
      // libuv reports a reset that comes with the last input as the end of input. An empty write reveals it.
      socket.write('');
      if (this.#phase === 'reading') this.#linger();
    });
    socket.on('close', () => {
      this.#phase = 'closed';
      clearTimeout(this.#hintTimer);
      const error: NodeJS.ErrnoException | null = socket.errored;
      this.#log.closed({
        reason: this.#reason ?? (error ? (error.code ?? error.message) : 'end of input'),
        received: socket.bytesRead,
        sent: socket.bytesWritten - socket.writableLength,
        framer: this.framer,
      });
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Whether the client can still be answered. */
  get isOpen(): boolean {
    return !this.socket.destroyed && (this.#phase === 'reading' || this.#phase === 'answering');
  }

  /** Backpressure: an answer is outstanding, so nothing more is read. */
  hold(): void {
    if (this.#phase !== 'reading') return;
    this.#phase = 'answering';
    this.socket.pause();
  }

  /**
   * Every complete line has been answered: reads on. Or ends the connection, if the client has sent its
   * FIN, if a line has grown beyond `--max-line`, or if `end` was called meanwhile.
   */
  settle(): void {
    if (!this.isOpen) return;
    if (this.framer.tailHasBareLf && !this.#hintTimer) this.#hint();
    if (this.framer.overlong) this.#reason ??= this.framer.overlongReason;
    const isOver = this.#reason !== undefined || this.socket.readableEnded;
    if (isOver) {
      this.#linger();
    } else if (this.#phase === 'answering') {
      this.#phase = 'reading';
      this.socket.resume();
    }
  }

  /** Ends the connection as soon as no answer is outstanding. */
  end(reason: string): void {
    this.#reason ??= reason;
    if (this.#phase === 'reading') this.#linger();
  }

  /** Closes the connection at once; 'close' follows in the event loop's next turn. */
  destroy(reason: string): void {
    this.#reason ??= reason;
    this.socket.destroy();
  }

  /** Lets the log hint at `--eol lf` when bare LFs have waited for a CR LF for a while. */
  #hint(): void {
    const milliseconds = this.#log.unfinished(this.framer);
    if (!Number.isFinite(milliseconds)) return;
    this.#hintTimer = setTimeout(() => {
      this.#hintTimer = undefined;
      this.#hint();
    }, milliseconds);
  }

  #linger(): void {
    const { socket } = this;
    this.#phase = 'lingering';
    socket.removeAllListeners('data');
    socket.pause();
    socket.end(() => {
      if (socket.readableEnded) return; // both sides have ended: Node closes the socket
      socket.resume();
      const timer = setTimeout(() => socket.destroy(), GRACE_MS);
      socket.once('close', () => clearTimeout(timer));
    });
  }

  /**
   * Closes the connection if no byte has moved for `idleTimeout`, unless the client waits for the server.
   *
   * @param now - by `performance.now()`
   * @param idleTimeout - milliseconds
   * @param unacknowledged - how many bytes of this socket's output the client has not acknowledged; a
   *   client that reads slowly is not idle
   */
  checkIdle(now: number, idleTimeout: number, unacknowledged: (socket: Socket) => number): void {
    const { socket } = this;
    const pending = socket.writableLength;
    const waitsForUs = this.#phase === 'answering' && pending === 0;
    const moved = socket.bytesRead + socket.bytesWritten - pending - unacknowledged(socket);
    if (waitsForUs || moved !== this.#bytesMoved) {
      this.#bytesMoved = moved;
      this.#movedAt = now;
    } else if (now - this.#movedAt >= idleTimeout) {
      this.destroy('idle');
    }
  }
}

/** A client's address; undefined when the client has left already. */
export function peerOf({
  remoteAddress: address,
  remotePort: port,
}: Socket): SocketAddressLike | undefined {
  return address && port ? { address, port } : undefined;
}
