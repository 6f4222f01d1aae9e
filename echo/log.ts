/**
 * The log: connection information on standard output, as text or as JSON, never a client's bytes.
 *
 * A log must not stop the service. Node buffers what a full pipe or a stopped terminal (Ctrl-S) does not take.
 * When too much is buffered, lines are dropped and counted. When standard output has been closed (`| head -1`),
 * the log ends and the server goes on. Only a write to a file can block the server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SocketAddressLike } from './addresses.ts';
import { formatAddress } from './addresses.ts';
import type { Tail } from './framing.ts';
import type { Options } from './options.ts';

/** How many bytes of the log may wait for its reader. */
const MAX_BUFFERED = 256 * 1024;

/** How long a process that ends waits for the reader of its log. */
const FLUSH_MS = 200;

/** How long bare LFs wait in an unfinished line before the log hints at `--eol lf`. */
const HINT_AFTER_MS = 2000;

const HINT = 'it has bare LFs: if they should end lines, start the server with --eol lf';

type PeerOf<Socket> = (socket: Socket) => SocketAddressLike | undefined;

type Fields = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export class Log {
  readonly #format: Options['log'];
  readonly #model: string;
  readonly #idPrefix: string;
  #ids = 0;
  #open = 0;
  #dropped = 0;
  #gone = false;

  /** @param idPrefix - makes the ids unique when several processes write to the same log */
  constructor({ log, model }: Pick<Options, 'log' | 'model'>, idPrefix = '') {
    this.#idPrefix = idPrefix;
    this.#format = log;
    this.#model = model;
    process.stdout.on('error', () => {
      this.#gone = true;
    });
    doNotWaitForTerminal();
  }

  /**
   * Says that the server listens: the first line on standard output. It is written even with `--log off`,
   * because whoever started the server reads the port from it.
   */
  listening(addresses: readonly SocketAddressLike[]): void {
    const names = addresses.map(formatAddress);
    const text = `${this.#model} listening on ${names.join(' ')} (pid ${process.pid})`;
    if (this.#format === 'json') {
      this.#json('listening', { message: text, addresses: names, pid: process.pid });
    } else {
      this.#write(`${text}\n`);
    }
  }

  /** Whether lines wait for the reader of standard output. Writing them needs turns of Node's event loop. */
  get isBehind(): boolean {
    return !this.#gone && process.stdout.writableLength > 0;
  }

  /**
   * To be called before the process exits: resolves when standard output has taken everything that was logged,
   * at the latest after 0.2 s, so that a reader that has stopped does not keep the process alive.
   */
  async flush(): Promise<void> {
    if (!this.isBehind) return;
    const written = new Promise((resolve) => process.stdout.write('', resolve));
    await Promise.race([written, sleep(FLUSH_MS)]);
  }

  /** Logs something about the server as a whole: `log.notice('stopping')`. */
  notice(message: string, fields: Fields = {}): void {
    this.#line('notice', message, { message, ...fields });
  }

  /**
   * Logs that a client is connected.
   *
   * @param peerOf - returns the address of a socket's client; not called with `--log off`, because it costs a system
   *   call
   * @returns the log of this connection
   */
  connected<Socket>(peerOf: PeerOf<Socket>, socket: Socket): ConnectionLog {
    if (this.#format === 'off') return UNLOGGED;
    this.#open++;
    const id = `${this.#idPrefix}${++this.#ids}`;
    const name = nameOf(peerOf(socket));
    this.#line('connected', `#${id} ${name} connected, ${this.#open} open`, {
      id,
      peer: name,
      open: this.#open,
    });
    const since = performance.now();
    const hint = (unfinished: number) =>
      this.#line(
        'hint',
        `#${id} ${name} waits with an unfinished line of ${unfinished} bytes; ${HINT}`,
        { id, peer: name, unfinished, hint: HINT },
      );
    return {
      unfinished: whenBareLfStays(hint),
      hint,
      closed: ({ reason, received, sent, framer }) => {
        this.#open--;
        const seconds = Number(((performance.now() - since) / 1000).toFixed(3));
        const unfinished = framer.tailLength;
        const hint = framer.tailHasBareLf ? HINT : undefined;
        const tail = unfinished ? `; dropped an unfinished line of ${unfinished} bytes` : '';
        this.#line(
          'closed',
          `#${id} ${name} closed (${reason}) after ${seconds} s, ${received ?? '?'} bytes in, ${sent ?? '?'} out${tail}${hint ? `; ${hint}` : ''}, ${this.#open} open`,
          { id, peer: name, reason, seconds, received, sent, unfinished, hint, open: this.#open },
        );
      },
    };
  }

  /** Logs that a client was turned away. The rest is as in `connected`. */
  refused<Socket>(reason: string, peerOf: PeerOf<Socket>, socket: Socket): void {
    if (this.#format === 'off') return;
    const name = nameOf(peerOf(socket));
    this.#line('refused', `${name} refused: ${reason}`, { peer: name, reason });
  }

  #line(event: string, text: string, fields: Fields): void {
    if (this.#format === 'off') return;
    if (this.#format === 'json') this.#json(event, fields);
    else this.#write(`${new Date().toISOString().slice(11, 23)} ${text}\n`);
  }

  #json(event: string, fields: Fields): void {
    const record = { time: new Date().toISOString(), model: this.#model, event, ...fields };
    this.#write(`${JSON.stringify(record)}\n`);
  }

  #write(line: string): void {
    if (this.#gone) return;
    if (process.stdout.writableLength > MAX_BUFFERED) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const lost = this.#dropped;
      this.#dropped = 0;
      this.notice(`${lost} log lines were dropped: standard output was not read`, {
        dropped: lost,
      });
    }
    process.stdout.write(line);
  }
}

/** The log of one connection. */
export interface ConnectionLog {
  /**
   * Hints at `--eol lf`, once, when the unfinished line has held a bare LF for two seconds. To be called
   * after input that leaves `framer.tailHasBareLf` true.
   *
   * @returns milliseconds after which it has to be called again; `Infinity` when there is no need
   */
  unfinished(framer: Tail): number;
  /** Logs that hint, for a server that decides elsewhere when it is due: in another thread or process. */
  hint(unfinished: number): void;
  /** Logs that the connection is closed. */
  closed(end: {
    /** A few words, or the code of the error: 'end of input', 'idle', 'ECONNRESET'. */
    readonly reason: string;
    /** Bytes; undefined when nobody knows, because the thread or process that served the client has died. */
    readonly received: number | undefined;
    /** Bytes, as above. */
    readonly sent: number | undefined;
    readonly framer: Tail;
  }): void;
}

const UNLOGGED: ConnectionLog = {
  unfinished: () => Number.POSITIVE_INFINITY,
  hint() {},
  closed() {},
};

/**
 * Decides when one connection is due for the hint at `--eol lf`.
 *
 * @param hint - called once, with the bytes of the unfinished line
 * @returns what `ConnectionLog.unfinished` is
 */
export function whenBareLfStays(hint: (unfinished: number) => void): ConnectionLog['unfinished'] {
  let since: number | undefined;
  let hasHinted = false;
  return ({ tailHasBareLf, tailLength }) => {
    if (!tailHasBareLf) since = undefined;
    if (!tailHasBareLf || hasHinted) return Number.POSITIVE_INFINITY;
    const now = performance.now();
    since ??= now;
    const remaining = since + HINT_AFTER_MS - now;
    if (remaining > 0) return remaining;
    hasHinted = true;
    hint(tailLength);
    return Number.POSITIVE_INFINITY;
  };
}

/**
 * Makes writes to a terminal non-blocking, as writes to a pipe are. Node makes them blocking, so that no output
 * is lost at an exit. But then Ctrl-S, which stops the terminal, would stop the server, too. This is safe only if
 * libuv has opened the terminal anew. Otherwise it would become non-blocking for other programs as well.
 */
function doNotWaitForTerminal(): void {
  const { isTTY, _handle } = process.stdout as typeof process.stdout & {
    readonly _handle?: { readonly fd: number; setBlocking?(on: boolean): number };
  };
  const isOurs = _handle?.fd !== 1;
  if (isTTY && isOurs) _handle?.setBlocking?.(false);
}

function nameOf(peer: SocketAddressLike | undefined): string {
  return peer ? formatAddress(peer) : 'unknown';
}
