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
import { type ActorProcess, RemoteActor } from './remote-actor.ts';
import { type Server, specOf } from './servers.ts';

/** How a server is put on a stage. */
export interface StageOptions {
  /** What the server is started with, besides its port. */
  readonly args?: readonly string[];
  /** Threads or processes that answer lines, where the model has a choice. Default: 2. */
  readonly workers?: number;
  /** How many cores the server may use. Default: all. */
  readonly cores?: number;
  /** 1 to 900. Default: 200. */
  readonly looksPerSecond?: number;
  /** Is told of everything as it happens, in batches. */
  readonly onEntries?: (entries: readonly Entry[]) => void;
}

/** Who is on the stage. */
export interface Cast {
  /** What people call the clients; there are no others. */
  readonly names: Readonly<Record<ClientId, string>>;
  /** What the trace calls the lesson. Default: `live`. */
  readonly lesson?: string;
  /** Clients that get a process of their own, because they will flood. */
  readonly apart?: readonly ClientId[];
  /** Processes that are there already, for clients that act apart. They outlive the stage. */
  readonly processes?: ReadonlyMap<ClientId, ActorProcess>;
  /** Is awaited when everything is prepared, just before time begins: so that several stages begin at once. */
  readonly ready?: () => Promise<void>;
}

export class Stage {
  /** What has happened since it began last; it grows. */
  trace: Trace;
  readonly #witness: Witness;
  readonly #options: StageOptions;
  readonly #server: Server;
  readonly #args: readonly string[];
  #actors = new Map<ClientId, Actor | RemoteActor>();
  /** Who has sent a line: undefined when two clients have sent the same. */
  #senders = new Map<string, ClientId | undefined>();
  #unfinished = new Map<ClientId, string>();
  #zero = 0n;
  #isOn = false;

  private constructor(
    witness: Witness,
    server: Server,
    args: readonly string[],
    options: StageOptions,
  ) {
    this.#witness = witness;
    this.#server = server;
    this.#args = args;
    this.#options = options;
    this.trace = this.#emptyTrace({ names: {} });
  }

  /**
   * Starts a server and its witness; nothing happens before `begin`.
   *
   * @throws Error with what the server said, when it does not come up
   */
  static async open(server: Server, options: StageOptions = {}): Promise<Stage> {
    const spec = await specOf(server, options);
    const witness = await Witness.start(spec);
    return new Stage(witness, server, 'args' in spec ? spec.args : [], options);
  }

  /** Milliseconds since it began; 0 before. */
  readonly now = (): Ms =>
    this.#isOn ? Math.round(Number(process.hrtime.bigint() - this.#zero) / 1e4) / 100 : 0;

  /**
   * Time begins, for these clients and a trace of its own. A stage can begin again after `finish`: the
   * server is the same.
   *
   * @returns what `process.hrtime.bigint()` says at its beginning
   */
  async begin(cast: Cast): Promise<bigint> {
    const { names, apart = [], processes, ready } = cast;
    await this.#dismiss();
    this.#senders = new Map();
    this.#unfinished = new Map();
    const [remote] = await Promise.all([
      Promise.all(
        apart.map(
          async (id) => [id, processes?.get(id)?.add() ?? (await RemoteActor.start())] as const,
        ),
      ),
      this.#witness.prepare(),
    ]);
    for (const [id, actor] of remote) this.#actors.set(id, actor);
    this.trace = this.#emptyTrace(cast);
    await ready?.();

    this.#zero = process.hrtime.bigint();
    this.#isOn = true;
    this.#witness.onEntries = (entries) => this.#take(entries);
    this.#witness.onExit = (how, t) =>
      this.#take([{ event: { t, who: 'server', did: 'exit', how } }]);
    for (const id of Object.keys(names)) {
      const report = (event: ActorEvent) => this.#take([{ event: { ...event, who: id } as Event }]);
      const onPort = (port: number) => this.#witness.addClient(id, port);
      const actor = this.#actors.get(id);
      if (actor instanceof RemoteActor) actor.begin(id, this.#zero, report, onPort);
      else this.#actors.set(id, new Actor(id, this.now, report, onPort));
    }
    this.#witness.begin(this.#zero, this.#options.looksPerSecond ?? 200);
    return this.#zero;
  }

  /** Lets a client do something now. A client that is not there does nothing. */
  act(who: ClientId, act: Act): void {
    if (!this.#isOn) return;
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
    this.#isOn = false;
    const { trace } = this;
    Object.assign(trace.quality, seen);
    Object.assign(trace.blind, this.#blindness());
    trace.duration = duration;
    return trace;
  }

  /** Ends the server, and everybody else. */
  async close(): Promise<void> {
    this.#isOn = false;
    await Promise.all([this.#witness.close(), this.#dismiss()]);
  }

  async #dismiss(): Promise<void> {
    await Promise.all([...this.#actors.values()].map((actor) => actor.close()));
    this.#actors = new Map();
  }

  #emptyTrace({ names, lesson = 'live' }: Cast): Trace {
    const blind = this.#server.isModel
      ? {}
      : { lines: 'only a model of this collection says which line it pays for' };
    return {
      format: TRACE_FORMAT,
      lesson,
      model: this.#server.name,
      args: this.#args,
      duration: 0,
      names,
      machine: machine(this.#witness.cores),
      quality: { looks: 0, longestGap: 0, medianGap: 0, coreWait: 0, lateness: 0 },
      blind: { ...blind, ...this.#blindness() },
      tasks: [],
      events: [],
      facts: [],
      inside: [],
    };
  }

  #blindness(): { tasks?: string; sockets?: string } {
    const { blindTasks: tasks, blindSockets: sockets } = this.#witness;
    return { ...(tasks ? { tasks } : {}), ...(sockets ? { sockets } : {}) };
  }

  #take(entries: readonly Entry[]): void {
    if (!this.#isOn) return;
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
