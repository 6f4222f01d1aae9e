/** Questions to a trace: how long somebody waited, who was accepted when, where the bytes were. Pure. */
import type { BufferFact, ClientId, Event, Ms, StateFact, Target, TaskId, Trace } from './trace.ts';

export class Seen {
  readonly trace: Trace;

  constructor(trace: Trace) {
    this.trace = trace;
  }

  /** What a client did, or what happened to it. */
  eventsOf(who: ClientId): Event[] {
    return this.trace.events.filter((event) => event.who === who);
  }

  /** The lines that came back to a client, as text with its end, in order. */
  echoes(who: ClientId): string[] {
    return this.eventsOf(who).flatMap((event) => (event.did === 'echo' ? [event.text] : []));
  }

  /** How long each of a client's answered lines took, in order, in milliseconds. */
  waits(who: ClientId): number[] {
    return this.eventsOf(who).flatMap((event) => (event.did === 'echo' ? [event.waited] : []));
  }

  /** How many complete lines a client has sent, floods apart. */
  linesSent(who: ClientId): number {
    return this.eventsOf(who).reduce((sum, e) => sum + (e.did === 'send' ? e.lines : 0), 0);
  }

  /**
   * The longest time that a client waited for a line, in milliseconds: a line that was not answered counts
   * to the end of its connection, or to that of the trace. Undefined when it sent none.
   */
  longestWait(who: ClientId): number | undefined {
    const waits: Ms[] = [];
    let owed: Ms[] = [];
    const giveUp = (t: Ms) => {
      waits.push(...owed.map((since) => t - since));
      owed = [];
    };
    for (const event of this.eventsOf(who)) {
      if (event.did === 'send') owed.push(...Array<Ms>(event.lines).fill(event.t));
      if (event.did === 'echo') {
        waits.push(event.waited);
        owed.shift();
      }
      if (event.did === 'reset' || event.did === 'cut' || event.did === 'fin') giveUp(event.t);
    }
    giveUp(this.trace.duration);
    return waits.length > 0 ? Math.max(...waits) : undefined;
  }

  /** Whether every complete line that a client sent came back. */
  isAnswered(who: ClientId): boolean {
    return this.echoes(who).length >= this.linesSent(who);
  }

  /** When a client completed a line of its, from 1; undefined when it did not. */
  sentAt(who: ClientId, line = 1): Ms | undefined {
    return this.#sendTimes(who)[line - 1];
  }

  /** Whether a client still waits for something: to be accepted, a line, or the rest of its flood. */
  isOwed(who: ClientId): boolean {
    const own = this.eventsOf(who);
    if (own.some(({ did }) => did === 'fin' || did === 'cut' || did === 'reset')) return false;
    const flood = own.findLast((event) => event.did === 'flood');
    const progress = own.findLast((event) => event.did === 'progress');
    const isFlooding =
      flood?.did === 'flood' &&
      !own.some(({ did }) => did === 'end') &&
      (progress?.did !== 'progress' ||
        progress.sent < flood.bytes ||
        progress.echoed < progress.sent);
    const holder = this.trace.facts.findLast(
      (fact) => fact.fact === 'holder' && fact.client === who,
    );
    const isInBacklog = holder?.fact === 'holder' && holder.where === 'backlog';
    return isFlooding || isInBacklog || !this.isAnswered(who);
  }

  /** Whether a client has sent its FIN, and not seen the server's. */
  awaitsEnd(who: ClientId): boolean {
    const ends = this.eventsOf(who).map(({ did }) => did);
    return ends.includes('end') && !ends.includes('fin') && !ends.includes('cut');
  }

  /** When a client's line came back, the first if none is named; undefined when it did not. */
  echoedAt(who: ClientId, line = 1): Ms | undefined {
    return this.trace.events.find(
      (event) => event.who === who && event.did === 'echo' && event.line === line,
    )?.t;
  }

  /** When a client's last answer came; undefined when there was none. */
  lastEchoAt(who: ClientId): Ms | undefined {
    return this.trace.events.findLast((event) => event.who === who && event.did === 'echo')?.t;
  }

  /** From the first line that a client sent to its last answer; undefined unless all were answered. */
  timeForAll(who: ClientId): number | undefined {
    const [first] = this.#sendTimes(who);
    const last = this.lastEchoAt(who);
    if (first === undefined || last === undefined || !this.isAnswered(who)) return undefined;
    return last - first;
  }

  /** Whether the server, or the kernel for it, ended a client's connection before the client did. */
  wasCutOff(who: ClientId): boolean {
    const cut = this.at(who, 'cut');
    const fin = this.at(who, 'fin');
    const end = this.at(who, 'end') ?? Number.POSITIVE_INFINITY;
    return cut !== undefined || (fin !== undefined && fin < end);
  }

  /** Whether a thread ever waited in one call for all of these. */
  waitedFor(call: string, ...targets: Target['on'][]): boolean {
    return this.trace.facts.some(
      (fact) =>
        fact.fact === 'state' &&
        fact.call === call &&
        targets.every((one) => fact.on?.some(({ on }) => on === one)),
    );
  }

  /** By how many bytes the server's own memory has grown at most since the beginning; undefined: it was not seen. */
  get grownBy(): number | undefined {
    const sizes = this.trace.facts.flatMap((fact) => (fact.fact === 'memory' ? [fact.bytes] : []));
    const [first] = sizes;
    return first === undefined ? undefined : Math.max(...sizes) - first;
  }

  /** What each thread that was there did at a time, as it was seen last. */
  statesAt(t: Ms): StateFact[] {
    const latest = new Map<TaskId, StateFact>();
    for (const fact of this.trace.facts) {
      if (fact.fact === 'state' && fact.t <= t) latest.set(fact.task, fact);
    }
    return [...latest.values()].filter(({ state }) => state !== 'gone');
  }

  /** The bytes of a client's flood that somebody had taken from it at a time. */
  takenBy(who: ClientId, t: Ms): number {
    const all = this.eventsOf(who).flatMap((event) =>
      event.did === 'progress' && event.t <= t ? [event.sent] : [],
    );
    return all.at(-1) ?? 0;
  }

  /** When the server accepted a client; undefined when it did not, or nobody could see it. */
  acceptedAt(who: ClientId): Ms | undefined {
    return this.trace.facts.find(
      (fact) => fact.fact === 'holder' && fact.client === who && fact.where === 'held',
    )?.t;
  }

  /** The processes that had a client open, in order. */
  holders(who: ClientId): TaskId[] {
    const all = this.trace.facts.flatMap((fact) =>
      fact.fact === 'holder' && fact.client === who ? (fact.tasks ?? []) : [],
    );
    return [...new Set(all)];
  }

  /** When a client did something, or something happened to it, first. */
  at(who: ClientId | 'server', did: Event['did']): Ms | undefined {
    return this.trace.events.find((event) => event.who === who && event.did === did)?.t;
  }

  /** The most bytes that a buffer of a client's connection held. */
  most(
    who: ClientId,
    buffer: 'clientSend' | 'serverReceive' | 'serverSend' | 'clientReceive',
  ): number {
    const sizes = this.trace.facts
      .filter((fact): fact is BufferFact => fact.fact === 'buffers' && fact.client === who)
      .map((fact) => fact[buffer]);
    return Math.max(0, ...sizes);
  }

  /** The tasks that paid for a client's lines, in order. */
  payers(who: ClientId): TaskId[] {
    const all = this.trace.inside.flatMap((one) => (one.who === who && one.line ? [one.task] : []));
    return [...new Set(all)];
  }

  /** Milliseconds in which at least `n` threads paid for a line at once. */
  together(n: number): number {
    const busy = new Set<TaskId>();
    let since: Ms | undefined;
    let total = 0;
    for (const { t, task, line } of this.trace.inside) {
      if (line === undefined) busy.delete(task);
      else busy.add(task);
      if (busy.size >= n) since ??= t;
      else if (since !== undefined) {
        total += t - since;
        since = undefined;
      }
    }
    return total;
  }

  /** Milliseconds that the server's threads were ready and waited for a core. */
  get coreWait(): number {
    return this.trace.facts.reduce((sum, fact) => sum + (fact.fact === 'delay' ? fact.ms : 0), 0);
  }

  /** When each of a client's complete lines was completed. */
  #sendTimes(who: ClientId): Ms[] {
    return this.eventsOf(who).flatMap((event) =>
      event.did === 'send' ? Array<Ms>(event.lines).fill(event.t) : [],
    );
  }
}
