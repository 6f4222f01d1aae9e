import { randomBytes } from 'node:crypto';
import { connect as connectSocket, type OnReadOpts, Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { SocketAddress } from '../sockets/index.ts';
import { ByteQueue } from './byte-queue.ts';
import { count, escapeShortened } from './escape.ts';
import { Transcript } from './transcript.ts';

export { count, escapeBytes, escapeShortened, escapeText } from './escape.ts';
export { Transcript, type TranscriptEntry } from './transcript.ts';

/** Where libc cannot be reached (a package without koffi), a client has no narrow buffers. */
const sys = await import('../sockets/index.ts').catch(() => undefined);

/** Whether {@link ConnectOptions.receiveBuffer} can be had on this system. */
export const isNarrowPossible: boolean = sys?.isSupported ?? false;

/** What can be sent: bytes as they are, or text as UTF-8. Bytes must not change until they are sent. */
export type Payload = string | Uint8Array;

/**
 * How a connection ended. `fin`: the server closed in good order, after its last byte. `reset`: it
 * sent RST (or the kernel did so for it, because it closed with unread input). `closed`: this client closed it.
 */
export type Ending = 'fin' | 'reset' | 'closed';

/** Why a wait failed: the connection ended, the time was over, or more came than the capacity. */
export type FailureReason = Ending | 'timeout' | 'too-much' | 'unreachable';

/** A wait that failed. The message says what was waited for, why it ended, and what had come. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly reason: FailureReason;
  /** What had come and was not yet taken, at most its first 64 KiB. */
  readonly came: Buffer;

  constructor(reason: FailureReason, message: string, came: Buffer = Buffer.alloc(0)) {
    super(message);
    this.reason = reason;
    this.came = came;
  }
}

export interface ConnectOptions {
  /** An IPv4 or IPv6 address, or a name. Default: `127.0.0.1`. */
  readonly host?: string;
  /** 1 to 65535. */
  readonly port: number;
  /** What the transcript calls this client. Default: `client`. */
  readonly name?: string;
  /** The timeout of every wait that has none of its own, in milliseconds. Default: 10,000. */
  readonly timeout?: number;
  /** `false`: not one byte is read before {@link Client.resume}. Default: `true`. */
  readonly reading?: boolean;
  /** Where to record what happens; several clients may share one. Default: one of its own. */
  readonly transcript?: Transcript;
  /**
   * How many received bytes may wait to be taken before the client stops reading. Default: 64 MiB.
   */
  readonly capacity?: number;
  /**
   * Bytes of the kernel's receive buffer; it also makes segments small (536 bytes). Pending output then stays on
   * the server's side, where a wrong server can lose it. Linux and macOS only. Default: the kernel's choice.
   */
  readonly receiveBuffer?: number;
  /**
   * This end of the connection: an address of this machine, of the same family as the host's, and a port. Not
   * together with `receiveBuffer`. Default: the kernel's choice.
   */
  readonly from?: SocketAddress;
  /** Changes what is sent and what is received, for servers that differ slightly from the protocol. */
  readonly lens?: Lens;
}

/** Translates between the caller and the connection; the transcript shows what the caller sees. */
export interface Lens {
  /** @returns what is sent instead */
  sent(bytes: Uint8Array): Uint8Array;
  /** @returns what is received instead */
  received(bytes: Uint8Array): Buffer;
}

/** How long a single wait may take, in milliseconds. Default: the client's own `timeout`. */
export interface WaitOptions {
  readonly timeout?: number;
}

/**
 * Connects, with Nagle's algorithm off: each piece that is sent leaves at once.
 *
 * Success does not mean that the server has accepted the connection: the kernel connects clients in a
 * listener's backlog. Only an echo proves that the server serves it.
 *
 * @throws ClientError `unreachable` (refused, no such address) or `timeout`.
 */
export function connect(options: ConnectOptions): Promise<Client> {
  return new Promise((resolve, reject) => {
    const { host = '127.0.0.1', port, timeout = 10_000, reading = true } = options;
    const transcript = options.transcript ?? new Transcript();
    const name = options.name ?? 'client';
    const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

    let client: Client | undefined;
    // A buffer of our own, so that pause() stops at once: a stream would read ahead.
    const onread: OnReadOpts = {
      buffer: landing,
      callback: (n, buffer) => client?.[arrived](buffer.subarray(0, n)) ?? true,
    };
    const { from } = options;
    const local = from && { localAddress: from.address, localPort: from.port };
    const socket =
      options.receiveBuffer === undefined
        ? connectSocket({ host, port, ...local, noDelay: true, allowHalfOpen: true, onread })
        : connectNarrow({ address: host, port }, options.receiveBuffer, timeout, onread);
    socket.pause();

    const giveUp = (reason: FailureReason, why: string) => {
      clearTimeout(timer);
      socket.destroy();
      transcript.note(name, `cannot connect to ${where}: ${why}`);
      reject(new ClientError(reason, `connecting to ${where}: ${why}`));
    };
    const timer = setTimeout(() => giveUp('timeout', `no answer in ${timeout} ms`), timeout);
    // When all addresses of a name refuse, Node's error has no message: use that of the last address.
    const refused = (error: Error & { errors?: Error[] }) =>
      giveUp('unreachable', error.message || (error.errors?.at(-1)?.message ?? error.name));
    socket.once('error', refused);
    socket.once('connect', () => {
      clearTimeout(timer);
      client = new Client(socket, { ...options, name, timeout, transcript });
      // Only now, when the client has its own listener: an error without a listener ends the process.
      socket.off('error', refused);
      transcript.note(name, `connects to ${where} from port ${socket.localPort}`);
      if (reading) client[start]();
      resolve(client);
    });
  });
}

/** A socket with small buffers. They must be set before it connects. */
function connectNarrow(
  to: SocketAddress,
  receiveBuffer: number,
  timeout: number,
  onread: OnReadOpts,
): Socket {
  if (!sys) return failed(new Error('a narrow receive buffer needs libc'));
  const fd = sys.socket(sys.familyOf(to.address));
  try {
    sys.setsockopt(fd, sys.SO_RCVBUF, receiveBuffer);
    sys.setsockopt(fd, sys.TCP_MAXSEG, 536);
    sys.setsockopt(fd, sys.TCP_NODELAY, 1);
    takeFreshAddress(fd, to);
    sys.setsockopt(fd, sys.SO_SNDTIMEO, timeout); // this connect(2) waits, and everybody with it
    sys.connect(fd, to);
  } catch (error) {
    sys.close(fd);
    return failed(error as Error);
  }
  const settings = { fd, readable: true, writable: true, allowHalfOpen: true, onread };
  const socket = new Socket(settings as ConstructorParameters<typeof Socket>[0]);
  process.nextTick(() => socket.emit('connect'));
  return socket;
}

/** A socket that fails in the next turn of the event loop. */
function failed(error: Error): Socket {
  const socket = new Socket();
  process.nextTick(() => socket.destroy(error));
  return socket;
}

/**
 * Binds a socket to a loopback address that was not used before: the kernel remembers earlier peers, and gives a
 * connection to a known one a send buffer of megabytes at once.
 */
function takeFreshAddress(fd: number, to: SocketAddress): void {
  if (!sys || !to.address.startsWith('127.')) return;
  const bytes = [127, ...randomBytes(2), 2 + Math.floor(Math.random() * 250)];
  try {
    sys.bind(fd, { address: bytes.join('.'), port: 0 });
  } catch {
    // macOS has only 127.0.0.1.
  }
}

// libuv reads from one socket at a time and hands the bytes over before it reads again. So one buffer
// serves all clients; bytes that are kept are copied out of it.
const landing = Buffer.allocUnsafeSlow(64 * 1024);

// For connect() only: methods that are not part of the public interface.
const arrived = Symbol('arrived');
const start = Symbol('start');

/**
 * One connection to a server, for tests and experiments. It can behave well or badly, but it sends, reads, stops
 * and closes only when it is told to.
 *
 * Bytes that arrive wait, in order, until a `receive…` takes them. Every wait has a timeout. A wait that fails
 * throws a {@link ClientError} that says what had come, and takes nothing. A connection that ends while nothing
 * waits throws nothing: see {@link Client.ending}.
 *
 * Promises that are not awaited never end the process.
 */
export class Client {
  readonly name: string;
  readonly transcript: Transcript;
  readonly #socket: Socket;
  readonly #local: SocketAddress;
  #timeout: number;
  readonly #capacity: number;
  readonly #lens: Lens | undefined;
  readonly #queue = new ByteQueue();
  readonly #waiting = new Set<() => void>();
  readonly #closed: Promise<void>;
  #ending: Ending | undefined;
  #reading = false;
  #needed = 0;
  #discarding = false;
  #offered = 0;
  #taken = 0;
  #received = 0;
  #stuck: Promise<void> | undefined;

  /** For {@link connect}, and for a socket that was opened in another way. */
  constructor(
    socket: Socket,
    options: Required<Pick<ConnectOptions, 'name' | 'timeout' | 'transcript'>> &
      Pick<ConnectOptions, 'capacity' | 'lens'>,
  ) {
    this.name = options.name;
    this.transcript = options.transcript;
    this.#timeout = options.timeout;
    this.#capacity = options.capacity ?? 64 * 1024 * 1024;
    this.#lens = options.lens;
    this.#socket = socket;
    this.#local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.once('end', () => this.#end('fin', 'is closed by the server (FIN)'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#end('reset', `is reset by the server (${error.code ?? error.message})`);
    });
    socket.once('close', () => this.#end('closed', 'is gone'));
  }

  /** Changes the timeout of every wait that has none of its own, in milliseconds. */
  setTimeout(timeout: number): void {
    this.#timeout = timeout;
  }

  /** How the connection ended, as far as this client knows: while it does not read, it sees no FIN. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** This end of the connection. */
  get local(): SocketAddress {
    return this.#local;
  }

  /** The port of this end of the connection. */
  get localPort(): number {
    return this.#local.port;
  }

  /** How many bytes were given to {@link send} and the other methods that send. */
  get offered(): number {
    return this.#offered;
  }

  /**
   * How many bytes the other side took: the server, and the kernel's buffers on the way to it, which alone hold
   * several megabytes. A piece that is only partly taken is not counted.
   */
  get taken(): number {
    return this.#taken;
  }

  /** How many bytes have come in all. */
  get received(): number {
    return this.#received;
  }

  /** How many of those have not been taken yet. */
  get pending(): number {
    return this.#queue.length;
  }

  /** The first bytes that have not been taken yet, at most `most`. They are not taken. */
  peek(most = 64 * 1024): Buffer {
    return Buffer.from(this.#queue.peek(most));
  }

  // --- Sending ---------------------------------------------------------------------------------

  /**
   * Sends bytes in one piece and resolves when the kernel took all of them.
   *
   * @throws ClientError `timeout` (what was not taken remains on its way: look at {@link taken}),
   * or how the connection ended.
   */
  send(payload: Payload, { timeout = this.#timeout }: WaitOptions = {}): Promise<void> {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    this.transcript.note(this.name, 'sends', bytes);
    return quietly(this.#bounded(this.#write(bytes), timeout, () => `sending ${describe(bytes)}`));
  }

  /**
   * Sends pieces with pauses: each payload in a segment of its own; each number is a pause in
   * milliseconds. `play('hel', 50, 'lo\r', 50, '\n')`
   *
   * @throws ClientError as {@link send} does.
   */
  async play(...steps: readonly (Payload | number)[]): Promise<void> {
    for (const step of steps) {
      if (typeof step === 'number') await sleep(step);
      else {
        await this.send(step);
        await nextTurn();
      }
    }
  }

  /**
   * Sends one byte at a time, each in a segment of its own (a server that is slow to read may find
   * several at once all the same).
   *
   * @param gap Milliseconds between two bytes. Default: 0, as fast as segments go.
   * @throws ClientError as {@link send} does.
   */
  async sendBytewise(payload: Payload, gap = 0): Promise<void> {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    this.transcript.note(this.name, 'sends one by one', bytes);
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes.subarray(at, at + 1);
      const what = () => `sending byte ${at} of ${describe(bytes)}`;
      await this.#bounded(this.#write(byte), this.#timeout, what);
      await (gap > 0 ? sleep(gap) : nextTurn());
    }
  }

  /**
   * Sends `block` again and again, until `limit` bytes were taken (or a little more: whole blocks),
   * until nothing is taken for `stall` milliseconds, or until the connection or this side of it
   * ({@link halfClose}) ends. It throws nothing: read the result, {@link taken} and {@link offered}.
   *
   * After a stall the last block is still on its way. Unless this side has ended, flooding again goes on
   * where it stopped, and with the same block the bytes on the wire are that block repeated, {@link offered} bytes of it.
   *
   * @param block A few dozen KiB are right: every block costs a wait for the kernel.
   */
  async flood(
    block: Uint8Array,
    { limit, stall }: { readonly limit: number; readonly stall: number },
  ): Promise<'limit' | 'stalled' | 'ended'> {
    const before = this.#taken;
    const report = (outcome: 'limit' | 'stalled' | 'ended') => {
      const more = count(this.#taken - before);
      this.transcript.note(this.name, `floods: ${more} bytes more were taken, then: ${outcome}`);
      return outcome;
    };
    // Node takes a write after the FIN for an error, and would reset the connection.
    const canSend = () =>
      (this.#ending === undefined || this.#ending === 'fin') && !this.#socket.writableEnded;
    while (canSend()) {
      if (this.#stuck === undefined) {
        if (this.#taken - before >= limit) return report('limit');
        const write = this.#write(block).finally(() => {
          this.#stuck = undefined;
        });
        this.#stuck = quietly(write);
      }
      try {
        await this.#bounded(this.#stuck, stall, () => 'flooding');
      } catch (error) {
        if (error instanceof ClientError && error.reason === 'timeout') return report('stalled');
        break;
      }
    }
    return report('ended');
  }

  // --- Reading ---------------------------------------------------------------------------------

  /**
   * Stops reading from the socket: what the server sends fills this side's kernel buffer, then the server's.
   * Bytes that have already come can still be taken.
   */
  pause(): void {
    this.transcript.note(this.name, 'stops reading');
    this.#reading = false;
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.transcript.note(this.name, 'reads again');
    this[start]();
  }

  [start](): void {
    this.#reading = true;
    this.#socket.resume();
  }

  /**
   * Takes exactly `n` bytes.
   *
   * @throws ClientError `timeout`, or how the connection ended before so many came.
   */
  receive(n: number, { timeout = this.#timeout }: WaitOptions = {}): Promise<Buffer> {
    this.#needed = n;
    const attempt = () => (this.#queue.length >= n ? this.#queue.take(n) : undefined);
    return this.#until(attempt, timeout, () => `waiting for ${count(n)} bytes`);
  }

  /**
   * Takes what has come, as soon as anything has, at most `most` bytes.
   *
   * @throws ClientError `timeout`, or how the connection ended before anything came.
   */
  receiveSome({
    timeout = this.#timeout,
    most = Number.POSITIVE_INFINITY,
  }: WaitOptions & { readonly most?: number } = {}): Promise<Buffer> {
    const attempt = () => (this.#queue.length > 0 ? this.#queue.take(most) : undefined);
    return this.#until(attempt, timeout, () => 'waiting for anything');
  }

  /**
   * Takes a line, its terminator included.
   *
   * @throws ClientError `timeout`, how the connection ended before the line did, or `too-much` when
   * the client's capacity is full of a line without an end.
   */
  receiveLine({
    timeout = this.#timeout,
    terminator = '\r\n',
  }: WaitOptions & { readonly terminator?: '\r\n' | '\n' } = {}): Promise<Buffer> {
    const attempt = () => {
      const length = this.#queue.lineLength(terminator);
      return length === undefined ? undefined : this.#queue.take(length);
    };
    return this.#until(attempt, timeout, () => 'waiting for a line');
  }

  /**
   * Takes everything that still comes until the server ends the connection, and says how it ended.
   * (The client must be reading: the end comes after the bytes before it.)
   *
   * @throws ClientError `timeout` if the server leaves it open, `too-much` if the capacity is full.
   */
  async receiveEnd({ timeout = this.#timeout }: WaitOptions = {}): Promise<{
    readonly bytes: Buffer;
    readonly how: Ending;
  }> {
    const how = await this.#until(
      () => this.#ending,
      timeout,
      () => 'waiting for the server to end the connection',
    );
    return { bytes: this.#queue.take(this.#queue.length), how };
  }

  // --- Leaving ---------------------------------------------------------------------------------

  /**
   * Sends FIN after all that was sent; answers can still be received. Resolves when the kernel has
   * taken it.
   *
   * @throws ClientError `timeout` while bytes before it are not taken, or how the connection ended.
   */
  halfClose({ timeout = this.#timeout }: WaitOptions = {}): Promise<void> {
    this.transcript.note(this.name, 'sends FIN (half-close)');
    const done = new Promise<void>((resolve, reject) => {
      this.#socket.end((error?: Error | null) => (error ? reject(error) : resolve()));
    });
    return quietly(this.#bounded(done, timeout, () => 'half-closing'));
  }

  /**
   * Closes in order: sends FIN, reads and discards everything that still comes, then closes. (Closing with
   * unread input would send a reset.) Throws nothing. Resolves with how the connection ended; `closed` means
   * that the server did not close its side, and sent nothing for `timeout` (or went on sending for three
   * times as long).
   */
  async close({ timeout = this.#timeout }: WaitOptions = {}): Promise<Ending> {
    if (this.#ending !== 'reset' && this.#ending !== 'closed') {
      this.#discarding = true;
      this.#queue.clear();
      this[start]();
      if (!this.#socket.writableEnded) this.halfClose({ timeout });
      for (let before = -1, i = 0; !this.#ending && this.received > before && i < 3; i++) {
        before = this.received;
        const end = this.#until(
          () => this.#ending,
          timeout,
          () => 'closing',
        );
        await end.catch(() => undefined);
      }
    }
    const how = this.#ending ?? 'closed';
    await this.destroy();
    return how;
  }

  /** Sends RST; bytes that are still on their way may be lost. Resolves when the socket is closed. */
  async reset(): Promise<void> {
    // As long as a FIN has not left, libuv refuses to reset (EINVAL), and Node never says 'close' then.
    if (this.#socket.writableEnded) await nextTurn();
    if (!this.#socket.destroyed) {
      this.transcript.note(this.name, 'sends RST');
      this.#ending ??= 'closed';
      this.#socket.resetAndDestroy();
      this.#wake();
    }
    await this.#closed;
  }

  /**
   * Closes at once, as when a process dies: with unread input the kernel sends RST, else FIN.
   * Resolves when the socket is closed.
   */
  async destroy(): Promise<void> {
    if (!this.#socket.destroyed) {
      this.transcript.note(this.name, 'closes');
      this.#ending ??= 'closed';
      this.#socket.destroy();
      this.#wake();
    }
    await this.#closed;
  }

  // --- Within ----------------------------------------------------------------------------------

  /**
   * @param came - overwritten by the next that arrive
   * @returns whether to go on reading
   */
  [arrived](came: Uint8Array): boolean {
    const bytes = this.#lens?.received(came) ?? came;
    this.#received += bytes.length;
    this.transcript.note(this.name, 'receives', bytes);
    if (!this.#discarding) this.#queue.push(Buffer.from(bytes));
    this.#wake();
    return this.#reading && !this.#full();
  }

  #readOn(): void {
    if (this.#reading && !this.#full()) this.#socket.resume();
  }

  #full(): boolean {
    return this.#queue.length >= Math.max(this.#capacity, this.#needed);
  }

  #end(how: Ending, note: string): void {
    // The first end counts: a reset after a FIN is only the answer to what we sent after the FIN.
    if (how === 'reset' || this.#ending === undefined) this.transcript.note(this.name, note);
    this.#ending ??= how;
    this.#wake();
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  #write(bytes: Uint8Array): Promise<void> {
    this.#offered += bytes.length;
    return new Promise((resolve, reject) => {
      this.#socket.write(this.#lens?.sent(bytes) ?? bytes, (error) => {
        if (error) return reject(error);
        this.#taken += bytes.length;
        return resolve();
      });
    });
  }

  /** Calls `attempt` whenever bytes come or the connection ends, until it returns a result. */
  #until<T>(attempt: () => T | undefined, timeout: number, what: () => string): Promise<T> {
    const wait = new Promise<T>((resolve, reject) => {
      const look = () => {
        const found = attempt();
        if (found !== undefined) return done(() => resolve(found));
        if (this.#ending) return done(() => reject(this.#failure(this.#ending as Ending, what())));
        if (this.#full()) return done(() => reject(this.#failure('too-much', what())));
        return undefined;
      };
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        this.#needed = 0;
        settle();
        // Taking bytes may have made room for more.
        this.#readOn();
      };
      const giveUp = () => {
        if (!this.#waiting.has(look)) return;
        this.transcript.note(this.name, `gives up ${what()} after ${timeout} ms`);
        done(() => reject(this.#failure('timeout', what(), timeout)));
      };
      const timer = setTimeout(afterLastLook, timeout, giveUp);
      this.#waiting.add(look);
      // A wait for more bytes than the capacity raises the limit.
      this.#readOn();
      look();
    });
    return quietly(wait);
  }

  /** The same promise with a timeout in milliseconds; its failure becomes a {@link ClientError}. */
  #bounded<T>(promise: Promise<T>, timeout: number, what: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const giveUp = () => {
        if (isOver) return;
        this.transcript.note(this.name, `gives up ${what()} after ${timeout} ms`);
        reject(this.#failure('timeout', what(), timeout));
      };
      const timer = setTimeout(afterLastLook, timeout, giveUp);
      const over = () => {
        isOver = true;
        clearTimeout(timer);
      };
      promise.then(
        (value) => {
          over();
          resolve(value);
        },
        (_error: Error) => {
          over();
          // While a client does not read, a failed write is the only sign of a reset.
          if (this.#ending === undefined) this.#end('reset', 'is reset by the server');
          reject(this.#failure(this.#ending ?? 'reset', what()));
        },
      );
    });
  }

  #failure(reason: FailureReason, what: string, timeout?: number): ClientError {
    const why = {
      timeout: `not within ${Math.round(timeout ?? 0)} ms`,
      fin: 'the server closed the connection (FIN)',
      reset: 'the server reset the connection (RST)',
      closed: 'this client closed the connection',
      'too-much': `there was no room for more than ${count(this.#capacity)} bytes`,
      unreachable: 'unreachable',
    }[reason];
    const came = this.peek();
    const rest = this.pending > 0 ? describe(came, this.pending) : 'nothing';
    return new ClientError(reason, `${this.name}, ${what}: ${why}; ${rest} had come`, came);
  }
}

function describe(bytes: Uint8Array, length = bytes.length): string {
  return `${count(length)} ${length === 1 ? 'byte' : 'bytes'} "${escapeShortened(bytes)}"`;
}

/** The same promise; if nobody awaits it, its failure is not reported as an unhandled rejection. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/**
 * Runs `giveUp` after the event loop has read its sockets once more: if this process itself was delayed, timers
 * run before input that came meanwhile is read.
 */
export function afterLastLook(giveUp: () => void): void {
  setImmediate(() => setImmediate(giveUp));
}
