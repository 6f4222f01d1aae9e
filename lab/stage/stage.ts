/**
 * A stage: one server, its witness, and the clients; whatever happens on it is one stream of entries.
 * The clients are told what to do by a lesson's script (`play`), or by somebody who presses buttons.
 */
import type { Act, Step } from '../lesson.ts';
import {
  append,
  type ClientId,
  type Entry,
  type Event,
  type Ms,
  TRACE_FORMAT,
  type Trace,
} from '../trace.ts';
import { Witness } from '../witness/index.ts';
import { Actor, type ActorEvent } from './actor.ts';
import { machine } from './machine.ts';
import { RemoteActor } from './remote-actor.ts';
import { type Server, specOf } from './servers.ts';

export interface StageOptions {
  /** What people call the clients; there are no others. */
  readonly names: Readonly<Record<ClientId, string>>;
  /** What the server is started with, besides its port. */
  readonly args?: readonly string[];
  /** Threads or processes that answer lines, where the model has a choice. Default: 2. */
  readonly workers?: number;
  /** How many cores the server may use. Default: all. */
  readonly cores?: number;
  /** Clients that get a process of their own, because they will flood. */
  readonly apart?: readonly ClientId[];
  /** What the trace calls the lesson. Default: `live`. */
  readonly lesson?: string;
  /** 1 to 900. Default: 200. */
  readonly looksPerSecond?: number;
  /** Is told of everything as it happens, in batches. */
  readonly onEntries?: (entries: readonly Entry[]) => void;
}

export class Stage {
  /** What has happened so far; it grows. */
  readonly trace: Trace;
  readonly #witness: Witness;
  readonly #actors = new Map<ClientId, Actor | RemoteActor>();
  readonly #options: StageOptions;
  /** Who has sent a line: undefined when two clients have sent the same. */
  readonly #senders = new Map<string, ClientId | undefined>();
  readonly #unfinished = new Map<ClientId, string>();
  #zero = 0n;
  #isOver = false;

  private constructor(witness: Witness, trace: Trace, options: StageOptions) {
    this.#witness = witness;
    this.trace = trace;
    this.#options = options;
  }

  /**
   * Starts a server and everybody else; nothing happens before `begin`.
   *
   * @throws Error with what the server said, when it does not come up
   */
  static async open(server: Server, options: StageOptions): Promise<Stage> {
    const { names, apart = [], lesson = 'live' } = options;
    const spec = await specOf(server, options);
    const starting = apart.map(async (id) => [id, await RemoteActor.start()] as const);
    const [witness, ...remote] = await Promise.all([Witness.start(spec), ...starting]);
    const stage = new Stage(
      witness,
      {
        format: TRACE_FORMAT,
        lesson,
        model: server.name,
        args: 'args' in spec ? spec.args : [],
        duration: 0,
        names,
        machine: machine(witness.cores),
        quality: { looks: 0, longestGap: 0, medianGap: 0, coreWait: 0, lateness: 0 },
        blind: {
          ...(witness.blindTasks ? { tasks: witness.blindTasks } : {}),
          ...(witness.blindSockets ? { sockets: witness.blindSockets } : {}),
          ...(server.isModel
            ? {}
            : { lines: 'only a model of this collection says which line it pays for' }),
        },
        tasks: [],
        events: [],
        facts: [],
        inside: [],
      },
      options,
    );
    for (const [id, actor] of remote) stage.#actors.set(id, actor);
    return stage;
  }

  /** Milliseconds since it began. */
  readonly now = (): Ms => Math.round(Number(process.hrtime.bigint() - this.#zero) / 1e4) / 100;

  /** Time begins. @returns what `process.hrtime.bigint()` says at its beginning */
  begin(): bigint {
    this.#zero = process.hrtime.bigint();
    const { names, looksPerSecond = 200 } = this.#options;
    this.#witness.onEntries = (entries) => this.#take(entries);
    this.#witness.onExit = (how, t) => this.#tell({ t, who: 'server', did: 'exit', how });
    for (const id of Object.keys(names)) {
      const report = (event: ActorEvent) => this.#tell({ ...event, who: id } as Event);
      const onPort = (port: number) => this.#witness.addClient(id, port);
      const apart = this.#actors.get(id);
      if (apart instanceof RemoteActor) apart.begin(id, this.#zero, report, onPort);
      else this.#actors.set(id, new Actor(id, this.now, report, onPort));
    }
    this.#witness.begin(this.#zero, looksPerSecond);
    return this.#zero;
  }

  /** Lets a client do something now. A client that is not there does nothing. */
  act(who: ClientId, act: Act): void {
    if (this.#isOver) return;
    if (act.do === 'stop') {
      this.#witness.stopServer();
    } else if (act.do === 'kill') {
      this.#witness.killHolderOf(who);
    } else {
      if (act.do === 'send') this.#noteSender(who, act.text);
      if (act.do === 'connect') this.#unfinished.delete(who);
      this.#actors.get(who)?.act(act, this.#witness);
    }
  }

  /** Ends the looking; the trace does not grow any more. */
  async finish(): Promise<Trace> {
    const duration = this.now();
    const seen = await this.#witness.finish();
    this.#isOver = true;
    Object.assign(this.trace.quality, seen);
    this.trace.duration = duration;
    const { blindTasks, blindSockets } = this.#witness;
    Object.assign(this.trace.blind, {
      ...(blindTasks ? { tasks: blindTasks } : {}),
      ...(blindSockets ? { sockets: blindSockets } : {}),
    });
    return this.trace;
  }

  /** Ends the server, and everybody else. */
  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all([
      this.#witness.close(),
      ...[...this.#actors.values()].map((actor) => actor.close()),
    ]);
  }

  #tell(event: Event): void {
    this.#take([{ event }]);
  }

  #take(entries: readonly Entry[]): void {
    if (this.#isOver) return;
    const told = entries.map((entry) => this.#named(entry));
    for (const entry of told) append(this.trace, entry);
    this.trace.duration = this.now();
    this.#options.onEntries?.(told);
  }

  /** The witness knows which line is paid for; only here it is known who sent it. */
  #named(entry: Entry): Entry {
    if (!('inside' in entry) || entry.inside.line === undefined) return entry;
    const who = this.#senders.get(entry.inside.line);
    return who === undefined ? entry : { inside: { ...entry.inside, who } };
  }

  #noteSender(who: ClientId, text: string): void {
    const lines = ((this.#unfinished.get(who) ?? '') + text).split('\r\n');
    this.#unfinished.set(who, lines.pop() ?? '');
    for (const line of lines) {
      const isAnothers = this.#senders.has(line) && this.#senders.get(line) !== who;
      this.#senders.set(line, isAnothers ? undefined : who);
    }
  }
}

/** The clients of a script that flood. */
export function flooders(script: readonly Step[]): ClientId[] {
  return [...new Set(script.filter((step) => step.do === 'flood').map(({ who }) => who))];
}
