/**
 * A session: some servers that run now, the same clients for each, and everybody who watches. What the
 * clients do is done to all servers at once; who comes late gets everything that has happened so far.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Act, Step } from '../lesson.ts';
import { Seen } from '../seen.ts';
import type { ActorProcess } from '../stage/remote-actor.ts';
import type { Server } from '../stage/servers.ts';
import { Stage } from '../stage/stage.ts';
import type { ClientId, Entry, Ms, Trace } from '../trace.ts';
import type { ServerState, Told } from './told.ts';
import type { Wish } from './wishes.ts';

/** What people call the clients of a live session. */
export const CLIENTS = { A: 'Anna', B: 'Ben', C: 'Cleo' } as const;

/** A session ends by itself after so long, or when a trace has so many entries. */
const LONGEST: Ms = 15 * 60_000;
const MOST_ENTRIES = 60_000;

/** Milliseconds for which entries are gathered before they are told. */
const GATHER = 15;

/** Enough for a page that is drawn 20 times a second. */
const LOOKS_PER_SECOND = 200;

let sessions = 0;

export class Session {
  readonly id = ++sessions;
  readonly #wish: Wish;
  readonly #servers: readonly Server[];
  readonly #tell: (told: Told) => void;
  readonly #processesFor: (
    ids: readonly ClientId[],
  ) => Promise<ReadonlyMap<ClientId, ActorProcess>>;
  readonly #clients: Readonly<Record<ClientId, string>>;
  readonly #states = new Map<string, ServerState>();
  readonly #stages = new Map<string, Stage>();
  readonly #gathered = new Map<string, Entry[]>();
  readonly #script: Step[] = [];
  readonly #ending = new AbortController();
  #beganAt: number | undefined;
  #over: string | undefined;
  #lasted: Ms | undefined;
  #opening: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param processesFor - gives each client a process to act in
   * @param tell - is told everything that happens, as it happens
   */
  constructor(
    wish: Wish,
    servers: readonly Server[],
    processesFor: (ids: readonly ClientId[]) => Promise<ReadonlyMap<ClientId, ActorProcess>>,
    tell: (told: Told) => void,
  ) {
    this.#wish = wish;
    this.#processesFor = processesFor;
    this.#servers = servers;
    this.#tell = tell;
    this.#clients = wish.play?.clients ?? CLIENTS;
    for (const { name } of servers) this.#states.set(name, { name, is: 'starting' });
  }

  /** Starts the servers; when all that will are listening, time begins. */
  start(): void {
    this.#tell(this.#session());
    this.#opening = this.#open();
  }

  async #open(): Promise<void> {
    const [processes] = await Promise.all([
      this.#processesFor(Object.keys(this.#clients)),
      ...this.#servers.map((server) => this.#openOne(server)),
    ]);
    if (this.#over !== undefined) return;
    if (this.#stages.size === 0) return this.#end('no server has started');
    await this.#beginAll(processes);
    if (this.#over !== undefined) return;
    this.#beganAt = performance.now();
    this.#timer = setInterval(() => this.#pass(), GATHER);
    this.#tell({ began: true });
    for (const { trace } of this.#stages.values()) this.#tell({ trace });
    if (this.#wish.play) this.#play(this.#wish.play).catch(() => undefined);
  }

  async #openOne(server: Server): Promise<void> {
    const { name } = server;
    const { play } = this.#wish;
    try {
      const stage = await Stage.open(server, {
        args: this.#wish.args,
        looksPerSecond: LOOKS_PER_SECOND,
        ...(play?.workers === undefined ? {} : { workers: play.workers }),
        ...(play?.cores === undefined ? {} : { cores: play.cores }),
        onEntries: (entries) => this.#gather(name, entries),
      });
      if (this.#over !== undefined) return await stage.close();
      this.#stages.set(name, stage);
      this.#state({ name, is: 'ready' });
    } catch (error) {
      this.#fail(name, error);
    }
  }

  #fail(name: string, error: unknown): void {
    const [why = ''] = (error as Error).message.trim().split('\n');
    this.#state({ name, is: 'failed', why });
  }

  /** Time begins for all servers at the same moment, when the last of them is prepared. */
  async #beginAll(processes: ReadonlyMap<ClientId, ActorProcess>): Promise<void> {
    const stages = [...this.#stages];
    let missing = stages.length;
    let go = () => {};
    const all = new Promise<void>((resolve) => {
      go = resolve;
    });
    const ready = () => {
      if (--missing === 0) go();
      return all;
    };
    const names = this.#clients;
    // Each client in a process of its own: a flood must not spoil the timing of the others.
    const cast = { names, apart: Object.keys(names), processes, ready };
    await Promise.all(
      stages.map(async ([name, stage]) => {
        try {
          await stage.begin(cast);
        } catch (error) {
          // The others must not wait for it.
          ready();
          this.#fail(name, error);
          this.#stages.delete(name);
          await stage.close();
        }
      }),
    );
  }

  #state(state: ServerState): void {
    this.#states.set(state.name, state);
    this.#tell({ server: state });
  }

  #gather(name: string, entries: readonly Entry[]): void {
    const list = this.#gathered.get(name);
    if (list) list.push(...entries);
    else this.#gathered.set(name, [...entries]);
  }

  /** Tells what was gathered, and ends what has lasted long enough. */
  #pass(): void {
    for (const [name, entries] of this.#gathered) {
      const stage = this.#stages.get(name);
      if (stage) this.#tell({ entries, of: name, now: stage.now() });
    }
    this.#gathered.clear();
    const longest = Math.max(...[...this.#stages.values()].map(({ trace }) => lengthOf(trace)));
    if (this.#now() > LONGEST) this.#end('it has lasted 15 minutes');
    else if (longest > MOST_ENTRIES) this.#end('more has happened than a page can draw');
  }

  #now(): Ms {
    return this.#beganAt === undefined ? 0 : performance.now() - this.#beganAt;
  }

  /** Somebody pressed a button. @returns whether there was anybody to do it */
  act(who: ClientId, act: Act): boolean {
    if (this.#beganAt === undefined || this.#over !== undefined) return false;
    if (!(who in this.#clients)) return false;
    this.#do({ at: Math.round(this.#now()), who, ...act });
    return true;
  }

  #do(step: Step): void {
    this.#script.push(step);
    for (const stage of this.#stages.values()) stage.act(step.who, step);
    this.#tell({ step });
  }

  async #play({ script, duration }: NonNullable<Wish['play']>): Promise<void> {
    const { signal } = this.#ending;
    const until = (at: Ms) => sleep(Math.max(0, at - this.#now()), undefined, { signal });
    // As in a recording: not before what is owed has come, but it need not wait for ever.
    const patience = 3 * duration;
    const isOwed = (who: ClientId) =>
      [...this.#stages.values()].some(({ trace }) => new Seen(trace).isOwed(who));
    for (const step of script) {
      await until(step.at);
      while (step.once !== undefined && isOwed(step.once) && this.#now() < patience) {
        await until(this.#now() + 20);
      }
      this.#do(step);
    }
    await until(duration);
    await this.#end('');
  }

  /** Everything that has happened so far, for somebody who comes late. */
  history(): Told[] {
    // What is gathered is in the traces already: nobody must be told twice.
    if (this.#beganAt !== undefined) this.#pass();
    const traces = this.#beganAt === undefined ? [] : [...this.#stages.values()];
    return [this.#session(), ...traces.map(({ trace }) => ({ trace }))];
  }

  #session(): Told {
    return {
      session: {
        id: this.id,
        clients: this.#clients,
        args: this.#wish.args,
        servers: [...this.#states.values()],
        script: this.#script,
        ...(this.#beganAt === undefined ? {} : { now: this.#lasted ?? this.#now() }),
        ...(this.#over === undefined ? {} : { over: this.#over }),
        ...(this.#wish.play ? { duration: this.#wish.play.duration } : {}),
      },
    };
  }

  async #end(why: string): Promise<void> {
    if (this.#over !== undefined) return;
    this.#pass();
    this.#lasted = this.#now();
    this.#over = why;
    clearInterval(this.#timer);
    this.#tell({ over: why });
    await this.#closeStages();
  }

  async #closeStages(): Promise<void> {
    await Promise.all([...this.#stages.values()].map((stage) => stage.close()));
  }

  /** Ends the servers and the clients. */
  async close(): Promise<void> {
    this.#over ??= 'closed';
    this.#ending.abort();
    clearInterval(this.#timer);
    await this.#closeStages();
    await this.#opening;
    await this.#closeStages();
  }
}

function lengthOf({ events, facts, inside }: Trace): number {
  return events.length + facts.length + inside.length;
}
