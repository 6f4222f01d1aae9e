/** One client of a lesson: does what the script says, and reports what it did and what came back. */
import {
  type Client,
  ClientError,
  connect,
  count,
  escapeBytes,
  escapeShortened,
} from '../../client/client.ts';
import type { Act } from '../lesson.ts';
import type { ClientId, Event, Ms } from '../trace.ts';

/** What an actor does: `kill` and `stop` are done to the server, by the stage. */
export type ActorAct = Exclude<Act, { do: 'kill' | 'stop' }>;

/** Without `who`, which the stage knows. */
export type ActorEvent = Event extends infer E ? (E extends Event ? Omit<E, 'who'> : never) : never;

/** One line of a flood. */
const LINE = `${'a flood of lines '.repeat(59)}.....\r\n`;
/** So many of them are offered to the kernel at once: 64 KiB. */
const BLOCK = Buffer.from(LINE.repeat(65));

/** Milliseconds between two reports of a flood. */
const PROGRESS = 20;

/** Of a line without an end, so much is kept. */
const MEMORY = 64 * 1024;

/** No wait here is bounded by a clock: a lesson ends when it ends. */
const EVER = 2 ** 31 - 1;

// The first number with a comma makes Node load its tables of languages, which takes 10 ms and more, and
// every connection's end is told with one: better now than in a lesson.
count(1000);

export class Actor {
  readonly #name: ClientId;
  readonly #clock: () => Ms;
  readonly #report: (event: ActorEvent) => void;
  readonly #onPort: (port: number) => void;
  #client: Client | undefined;
  /** Acts are done one after the other: one on a connection waits until there is one. */
  #queue: Promise<void> = Promise.resolve();
  /** When each line that has not come back was completed. */
  readonly #sentAt: Ms[] = [];
  #unfinished = '';
  #echoes = 0;
  #flooding: Promise<void> | undefined;
  #isOver = false;

  /**
   * @param clock - the trace's time
   * @param report - is told what happens
   * @param onPort - is told the port of a connection of this client's own end
   */
  constructor(
    name: ClientId,
    clock: () => Ms,
    report: (event: ActorEvent) => void,
    onPort: (port: number) => void,
  ) {
    this.#name = name;
    this.#clock = clock;
    this.#report = report;
    this.#onPort = onPort;
  }

  /** Whether it has a connection, or is about to have one. */
  get isConnected(): boolean {
    return this.#client !== undefined && !this.#isOver;
  }

  /** Does something now, or as soon as what it was told before is done. */
  act(act: ActorAct, at: { readonly host: string; readonly port: number }): void {
    this.#queue = this.#queue
      .then(() => this.#do(act, at))
      .catch((error: Error) => {
        // How a connection ended is reported by whoever reads from it.
        if (error instanceof ClientError && error.reason !== 'unreachable') return;
        this.#tell({ did: 'error', message: escapeBytes(Buffer.from(error.message)) });
      });
  }

  /** Drops the connection, if there is one. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#client?.destroy();
  }

  #tell(event: ActorEvent extends infer E ? (E extends ActorEvent ? Omit<E, 't'> : never) : never) {
    this.#report({ t: this.#clock(), ...event } as ActorEvent);
  }

  async #do(act: ActorAct, at: { readonly host: string; readonly port: number }): Promise<void> {
    if (act.do === 'connect') return this.#connect(at);
    const client = this.#client;
    if (!client || this.#isOver) {
      this.#tell({ did: 'error', message: 'not connected' });
      return;
    }
    switch (act.do) {
      case 'send':
        this.#send(client, act.text);
        break;
      case 'flood':
        this.#tell({ did: 'flood', bytes: act.bytes, lineLength: LINE.length });
        this.#flooding = this.#flood(client, act.bytes);
        break;
      case 'pause':
        this.#tell({ did: 'pause' });
        client.pause();
        break;
      case 'read':
        this.#tell({ did: 'read' });
        client.resume();
        break;
      case 'end':
        this.#tell({ did: 'end' });
        this.#isOver = true;
        client.halfClose({ timeout: EVER });
        break;
      case 'reset':
        this.#tell({ did: 'reset' });
        this.#isOver = true;
        await client.reset();
    }
  }

  async #connect(at: { readonly host: string; readonly port: number }): Promise<void> {
    await this.#client?.destroy();
    this.#isOver = false;
    this.#sentAt.length = 0;
    this.#unfinished = '';
    this.#tell({ did: 'connect' });
    const client = await connect({ ...at, name: this.#name, timeout: EVER });
    this.#tell({ did: 'connected' });
    this.#onPort(client.localPort);
    this.#client = client;
    this.#read(client);
  }

  #send(client: Client, text: string): void {
    const { bytes, lines } = this.#count(text);
    const t = this.#clock();
    for (let i = 0; i < lines; i++) this.#sentAt.push(t);
    this.#report({ t, did: 'send', text: escapeShortened(bytes), bytes: bytes.length, lines });
    client.send(bytes, { timeout: EVER });
  }

  /** How many lines a piece completes: its CR may have come with the piece before. */
  #count(text: string): { bytes: Buffer; lines: number } {
    const pieces = (this.#unfinished + text).split('\r\n');
    this.#unfinished = pieces.pop() ?? '';
    return { bytes: Buffer.from(text), lines: pieces.length };
  }

  /** Reports what comes back, line by line, until the connection ends. */
  async #read(client: Client): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    try {
      for (;;) {
        const bytes = await client.receiveSome({ timeout: EVER });
        if (this.#flooding) continue; // counted there
        const { lines, tail } = split(Buffer.concat([rest, bytes]));
        for (const line of lines) this.#echo(line);
        if (tail.length > 0) {
          this.#tell({ did: 'part', text: escapeShortened(tail), bytes: tail.length });
        }
        rest = tail.subarray(-MEMORY);
      }
    } catch {
      if (client !== this.#client) return;
      const { ending } = client;
      if (ending === 'fin') this.#tell({ did: 'fin' });
      if (ending === 'reset') this.#tell({ did: 'cut' });
      // The server has ended first: so does the client, as most do.
      if (ending === 'fin' && !this.#isOver) client.halfClose({ timeout: EVER });
      this.#isOver = true;
    }
  }

  #echo(line: Buffer): void {
    const t = this.#clock();
    const since = this.#sentAt.shift();
    this.#echoes++;
    const waited = since === undefined ? 0 : Math.round((t - since) * 100) / 100;
    this.#report({ t, did: 'echo', text: escapeShortened(line), line: this.#echoes, waited });
  }

  /** Offers lines to the kernel until it has taken so many bytes, or the client is to leave. */
  async #flood(client: Client, most: number): Promise<void> {
    const before = client.taken;
    const isDone = () => this.#isOver || client.taken - before >= most;
    let last = '';
    const report = () => {
      const progress = { sent: client.taken - before, echoed: client.received };
      const text = JSON.stringify(progress);
      if (text !== last) this.#tell({ did: 'progress', ...progress });
      last = text;
    };
    const reports = setInterval(report, PROGRESS);
    try {
      while (!isDone()) {
        const limit = Math.min(BLOCK.length * 4, most - (client.taken - before));
        if ((await client.flood(BLOCK, { limit, stall: 50 })) === 'ended') break;
        // To read as well.
        await new Promise((resolve) => setImmediate(resolve));
      }
      // What the kernel still holds comes back later.
      while (!this.#isOver && client.ending === undefined && client.received < client.offered) {
        await new Promise((resolve) => setTimeout(resolve, PROGRESS));
      }
    } finally {
      clearInterval(reports);
      report();
    }
  }
}

/** Complete lines, and what is left over. */
function split(bytes: Buffer): { lines: Buffer[]; tail: Buffer } {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf('\r\n'); end >= 0; end = bytes.indexOf('\r\n', start)) {
    lines.push(bytes.subarray(start, end + 2));
    start = end + 2;
  }
  return { lines, tail: bytes.subarray(start) };
}
