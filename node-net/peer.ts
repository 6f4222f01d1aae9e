import type { Socket } from 'node:net';
import type { SocketAddressLike } from '../echo/addresses.ts';
import { LineFramer } from '../echo/framing.ts';
import type { ConnectionLog, Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';

/** One client's socket, its unfinished line, and what the log says of it. */
export abstract class Peer {
  readonly socket: Socket;
  readonly framer: LineFramer;
  readonly #log: ConnectionLog;
  #hintTimer: NodeJS.Timeout | undefined;
  /** Why the server ends the connection, once it has decided to. */
  protected reason: string | undefined;

  constructor(socket: Socket, options: Options, log: Log) {
    this.socket = socket;
    this.framer = new LineFramer(options.endOfLine, options.maxLine);
    this.#log = log.connected(peerOf, socket);
    socket.on('end', () => {
      // libuv reports a reset that comes with the last input as the end of input. An empty write reveals it.
      socket.write('');
      this.endOfInput();
    });
    socket.on('close', () => {
      clearTimeout(this.#hintTimer);
      const error: NodeJS.ErrnoException | null = socket.errored;
      this.#log.closed({
        reason: this.reason ?? (error ? (error.code ?? error.message) : 'end of input'),
        received: socket.bytesRead,
        sent: socket.bytesWritten - socket.writableLength,
        framer: this.framer,
      });
    });
  }

  /** The client has sent its FIN, and all input before it has been handed on. */
  protected abstract endOfInput(): void;

  /** Closes the connection at once; 'close' follows in the event loop's next turn. */
  destroy(reason: string): void {
    this.reason ??= reason;
    this.socket.destroy();
  }

  /** To be called after input: lets the log hint at `--eol lf` when bare LFs have waited for a CR LF for a while. */
  hintIfDue(): void {
    if (!this.framer.tailHasBareLf || this.#hintTimer) return;
    const milliseconds = this.#log.unfinished(this.framer);
    if (!Number.isFinite(milliseconds)) return;
    this.#hintTimer = setTimeout(() => {
      this.#hintTimer = undefined;
      this.hintIfDue();
    }, milliseconds);
  }
}

/** A client's address; undefined when the client has left already. */
export function peerOf({
  remoteAddress: address,
  remotePort: port,
}: Socket): SocketAddressLike | undefined {
  return address && port ? { address, port } : undefined;
}
