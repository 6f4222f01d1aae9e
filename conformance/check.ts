/** What a check is, and what one may use: plain data and functions that know no test runner. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ConnectOptions, connect, Transcript } from '../client/client.ts';
import { Lens, type LineEnds } from './lens.ts';

/**
 * `must`: a sentence of the task says so. `should`: the protocol of this project adds it
 * (docs/protocol.md). `info`: measured, not judged.
 */
export type Level = 'must' | 'should' | 'info';

/** From the highest to the lowest. */
export const LEVELS: readonly Level[] = ['must', 'should', 'info'];

/** The server under test. */
export interface Target {
  readonly name: string;
  readonly host: string;
  /** Where to try when nobody listens at `host`. */
  readonly otherHosts?: readonly string[];
  readonly port: number;
  /** How it ends lines, where that is not CR LF in and out: checks see CR LF all the same. */
  readonly lineEnds?: LineEnds | undefined;
  /** The longest line it takes, in bytes with the terminator. */
  readonly maxLine: number;
  /** The process that was started here, if one was: what the server costs can be measured. */
  readonly group?: number;
  /** How long bystanders wait, in milliseconds. Default: longer than the usual time-outs (31 s). */
  readonly silence?: number;
}

export interface Check {
  /** Words, `group/what-is-checked`; it never changes, because people note it down. */
  readonly id: string;
  readonly level: Level;
  readonly title: string;
  /** The sentence that it enforces. */
  readonly sentence: string;
  /** What mostly causes a failure, in one line for whoever wrote the server. */
  readonly cause: string;
  /** The checks without which this one tells nothing: where one of them fails, it is not run. */
  readonly needs?: readonly string[];
  /**
   * Opens what must outlast the checks that follow: bystanders, which `run` verifies later, on the same
   * scene. It runs as soon as the checks in `needs` have passed (and a second client has been served beside
   * the first), and again after each restart of the server. `run` comes last in its level. What it throws
   * is the check's verdict. Few connections, four at most: there are right servers with few threads.
   */
  prepare?(scene: Scene): Promise<void>;
  /** Ends the server that was started here: nothing can be asked of it behind this check, which comes last. */
  readonly endsServer?: boolean;
  /** @returns what was measured, in words, where there is something to tell */
  // biome-ignore lint/suspicious/noConfusingVoidType: most checks return nothing
  run(scene: Scene): Promise<string | void>;
}

/** The first difference between two runs of bytes, escaped. */
export interface Difference {
  /** In bytes from the first that was compared. */
  readonly offset: number;
  readonly expected: string;
  readonly got: string;
}

/** What the server did wrong, in words for whoever wrote it. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly difference: Difference | undefined;

  constructor(message: string, difference?: Difference) {
    super(message);
    this.difference = difference;
  }
}

/** This machine cannot tell: it has no IPv6, say. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

/** A connect that takes as long, in milliseconds, met a full backlog: the first SYN was dropped. */
const OVERFLOW = 900;

/** A SYN is sent again after 1, 3 and 7 s: that long, in milliseconds, a connect may take. */
const SYN_RETRIES = 7500;

/** Bytes. */
const MUCH = 1024 * 1024;

/** The connections of one check, what was said on them, and how long to wait. */
export class Scene {
  readonly target: Target;
  readonly transcript = new Transcript();
  /** The bound of a wait for something that should happen, in milliseconds. */
  readonly patience: number;
  /** How many connections of other checks are open meanwhile: those of bystanders. */
  beside = 0;
  /** Several round trips, in milliseconds: long enough for a wrong answer to be under way. */
  readonly moment: number;
  readonly #clients: Client[] = [];
  #lastConnectedAt = performance.now();
  /** Milliseconds between the connects of a crowd. */
  #gap = 1;
  #isLeft = false;
  #bystanders: readonly Client[] = [];
  #preparedAt = performance.now();

  constructor(target: Target, patience: number, roundTrip: number) {
    this.target = target;
    this.patience = patience;
    this.moment = Math.min(1000, Math.max(30, 20 * roundTrip));
  }

  /** The clients that the check's `prepare` opened, in their order. */
  get bystanders(): readonly Client[] {
    return this.#bystanders;
  }

  /** Milliseconds since `prepare` was done. */
  get age(): number {
    return performance.now() - this.#preparedAt;
  }

  /** For the runner: what is open now stays open until `run`. */
  isPrepared(): void {
    this.#bystanders = [...this.#clients];
    this.#preparedAt = performance.now();
  }

  async client(
    name = 'client',
    options: Pick<ConnectOptions, 'reading' | 'host' | 'receiveBuffer' | 'capacity' | 'from'> = {},
  ): Promise<Client> {
    const { host, port, lineEnds } = this.target;
    const lens = lineEnds && { lens: new Lens(lineEnds) };
    const { patience, transcript } = this;
    const timeout = Math.max(patience, SYN_RETRIES);
    const startedAt = performance.now();
    const client = await connect({ host, port, name, timeout, transcript, ...lens, ...options });
    client.setTimeout(patience);
    // The backlog was full: the server needs more time to accept.
    if (performance.now() - startedAt > OVERFLOW) this.#gap = Math.min(2 * this.#gap, 50);
    if (this.#isLeft) {
      // Its time was up meanwhile: it must not go on beside the checks that follow.
      await client.destroy();
      throw new Failure('the check has ended');
    }
    this.#clients.push(client);
    this.#lastConnectedAt = performance.now();
    return client;
  }

  /**
   * As many clients as are asked for, connected one after another, at a pace that a small backlog
   * survives: one that overflows costs its client a second (the kernel sends its SYN again).
   */
  async clients(count: number, name: string, options = {}): Promise<Client[]> {
    const clients: Client[] = [];
    for (let i = 1; i <= count; i++) {
      clients.push(await this.client(`${name} ${i}`, options));
      await sleep(this.#gap);
    }
    return clients;
  }

  /** How many of its connections are open, as far as that is known on this side. */
  get open(): number {
    return this.#clients.filter(({ ending }) => ending === undefined).length;
  }

  /** Waits for a moment in which nothing should happen. */
  async quiet(): Promise<void> {
    await sleep(this.moment);
  }

  /** Waits, where time is what is measured. */
  async settle(milliseconds: number): Promise<void> {
    await sleep(milliseconds);
  }

  /** Milliseconds since a client connected or received something. */
  get silence(): number {
    return Math.min(
      this.transcript.sinceLast('receives'),
      performance.now() - this.#lastConnectedAt,
    );
  }

  /** Whether a connection was cut, or so much was sent that the server may fall behind. */
  get isUpsetting(): boolean {
    return this.#clients.some(({ ending, offered }) => ending === 'closed' || offered > MUCH);
  }

  /** Leaves the server as it was: drains and closes what is open. */
  async leave(): Promise<void> {
    this.#isLeft = true;
    await Promise.all(this.#clients.map((client) => this.#farewell(client)));
  }

  async #farewell(client: Client): Promise<void> {
    // Who has sent much may have much to drain, and a server under load pauses.
    const timeout = client.offered > MUCH ? this.patience : 300;
    const most = new AbortController();
    const time = sleep(3 * timeout, undefined, { signal: most.signal }).catch(() => undefined);
    await Promise.race([client.close({ timeout }), time]);
    most.abort();
    await client.destroy(); // a server that still sends would do so for ever
  }
}
