/**
 * A story: what there is to see in a trace. Facts that say what has changed become segments that say what
 * was so from when to when: where each client's line is, what each thread does. What is too short to be
 * seen (a wake-up every quarter of a second) is left out; what is unknown stays unknown.
 */
import type {
  BufferFact,
  ClientId,
  Event,
  HolderFact,
  Ms,
  StateFact,
  Target,
  Task,
  TaskId,
  Trace,
} from '../trace.ts';

export interface Story {
  readonly model: string;
  readonly duration: Ms;
  readonly names: Readonly<Record<ClientId, string>>;
  readonly clients: readonly ClientLane[];
  readonly tasks: readonly TaskLane[];
  /** The server's own memory, in bytes, from each `t` on. */
  readonly memory: readonly { readonly t: Ms; readonly bytes: number }[];
  /** When the server was told to end, was killed, or ended. */
  readonly ends: readonly Extract<Event, { did: 'signal' | 'exit' }>[];
}

interface Span {
  readonly from: Ms;
  readonly to: Ms;
}

/** A client, and where its line is. */
export interface ClientLane {
  readonly id: ClientId;
  readonly name: string;
  readonly segments: readonly ClientSegment[];
  /** What it did, and what it got, in order of time. */
  readonly events: readonly Event[];
  /** The kernel's buffers, when they held enough to be drawn; in order of time. */
  readonly buffers: readonly Bytes[];
}

export interface ClientSegment extends Span {
  /**
   * idle: connected, nothing is owed to it. backlog: connected, not accepted. unread: its bytes are in the
   * kernel, and the server has not read them. server: the server has read them, and owes an echo. partial:
   * the server has half a line. flood: more bytes than lines can be counted. unknown: it cannot be seen.
   */
  readonly where: 'idle' | 'backlog' | 'unread' | 'server' | 'partial' | 'flood' | 'unknown';
  /** Complete lines that are owed to it. */
  readonly owed: number;
  /** Whether it has sent the beginning of a line, without its end. */
  readonly partial: boolean;
  /** Whether it reads nothing at present. */
  readonly paused: boolean;
}

/** Where a client's bytes are, from `t` on. */
export interface Bytes {
  readonly t: Ms;
  readonly clientSend: number;
  readonly serverReceive: number;
  readonly serverSend: number;
  readonly clientReceive: number;
}

/** A thread, or a process with one thread. */
export interface TaskLane {
  readonly id: TaskId;
  readonly name: string;
  readonly segments: readonly TaskSegment[];
  /** When it was ready, and no core was free. */
  readonly starved: readonly Span[];
  /** When nobody could look. */
  readonly unseen: readonly Span[];
  /** Echoes that came from its process: when, and to whom. */
  readonly echoes: readonly { readonly t: Ms; readonly who: ClientId; readonly text: string }[];
}

export interface TaskSegment extends Span {
  /**
   * one: waits for one client, and nobody else. any: waits for whoever comes first. idle: waits for
   * nothing that a client does. sleeps: the same, but in a call that watches no descriptor; whether it is
   * for a line or for want of one cannot be seen. computes: pays for a line. runs: does something else.
   */
  readonly kind: 'one' | 'any' | 'idle' | 'sleeps' | 'computes' | 'runs' | 'stopped' | 'unknown';
  /** one, computes: which client. */
  readonly who?: ClientId;
  /** one, any, idle, sleeps: the system call. */
  readonly call?: string;
  /** one, any: for what. */
  readonly on?: readonly Target[];
  /** any: whether `on` is exact. */
  readonly exact?: boolean;
  /** any: in a ring, how many operations wait for a socket, by name. */
  readonly inFlight?: Readonly<Record<string, number>>;
  /** computes: the line, without its end. */
  readonly line?: string;
  /** unknown: why. */
  readonly why?: string;
}

/** More lanes than this of clients, or of threads, are a crowd: each is a thin line, and nobody is named. */
export const CROWD = 8;

/** Bytes in one buffer from which on they are drawn: less is a line or two. */
export const WORTH_DRAWING = 32 * 1024;

/** Calls in which a thread sleeps without a descriptor: nanosleep(2), futex(2). */
const SLEEPS: readonly string[] = ['nanosleep', 'futex'];

/** A thread that wakes up for less than this, and then waits as before, is drawn as one that waits. */
const BLINK: Ms = 4;

/**
 * Makes a story of a trace.
 *
 * @param now - the end of a trace that still grows
 * @param blink - the shortest time awake that is drawn, in milliseconds: about three looks of the witness
 */
export function storyOf(trace: Trace, now: Ms = trace.duration, blink: Ms = BLINK): Story {
  return {
    model: trace.model,
    duration: now,
    names: trace.names,
    clients: clientsOf(trace, now, blink),
    tasks: tasksOf(trace, now, blink),
    memory: trace.facts.flatMap((fact) =>
      fact.fact === 'memory' ? [{ t: fact.t, bytes: fact.bytes }] : [],
    ),
    ends: trace.events.filter((event) => event.did === 'signal' || event.did === 'exit'),
  };
}

/** What people call a client. */
export function nameOf({ names }: Pick<Story, 'names'>, id: ClientId): string {
  return names[id] ?? id;
}

function clientsOf(trace: Trace, now: Ms, blink: Ms): ClientLane[] {
  const ids = Object.keys(trace.names);
  for (const { who } of trace.events) if (who !== 'server' && !ids.includes(who)) ids.push(who);
  return ids.map((id) => {
    const events = trace.events.filter(({ who }) => who === id);
    const holders = trace.facts.filter(
      (fact): fact is HolderFact => fact.fact === 'holder' && fact.client === id,
    );
    const all = trace.facts.filter(
      (fact): fact is BufferFact => fact.fact === 'buffers' && fact.client === id,
    );
    const isMuch = all.some((fact) => total(fact) >= WORTH_DRAWING);
    return {
      id,
      name: nameOf(trace, id),
      segments: steady(
        whereabouts(events, holders, all, trace.blind.sockets !== undefined, now),
        blink,
      ),
      events,
      buffers: isMuch ? all.map(bytesOf) : [],
    };
  });
}

/** All bytes of a connection that are in the kernel. */
export function total(bytes: Omit<Bytes, 't'>): number {
  return bytes.clientSend + bytes.serverReceive + bytes.serverSend + bytes.clientReceive;
}

function bytesOf({ t, clientSend, serverReceive, serverSend, clientReceive }: BufferFact): Bytes {
  return { t, clientSend, serverReceive, serverSend, clientReceive };
}

/** Follows one client's line through what is known of it. */
function whereabouts(
  events: readonly Event[],
  holders: readonly HolderFact[],
  buffers: readonly BufferFact[],
  isBlind: boolean,
  now: Ms,
): ClientSegment[] {
  const segments: ClientSegment[] = [];
  let since: Ms | undefined;
  let isOpen = false;
  let isFlooding = false;
  let paused = false;
  let partial = false;
  let owed = 0;
  let holder: HolderFact['where'] | undefined;
  let unread = 0;

  const where = (): ClientSegment['where'] => {
    if (holder === 'backlog') return 'backlog';
    if (isFlooding) return 'flood';
    const isWaiting = owed > 0 || partial;
    if (isWaiting && isBlind) return 'unknown';
    if (isWaiting && unread > 0) return 'unread';
    if (owed > 0) return 'server';
    return partial ? 'partial' : 'idle';
  };
  let before: Omit<ClientSegment, 'from' | 'to'> | undefined;
  const change = (t: Ms) => {
    const after = isOpen ? { where: where(), owed, partial, paused } : undefined;
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    if (before && since !== undefined && t > since)
      segments.push({ from: since, to: t, ...before });
    since = t;
    before = after;
  };

  for (const item of inOrder<Event | HolderFact | BufferFact>([events, holders, buffers])) {
    if ('fact' in item) {
      if (item.fact === 'holder') holder = item.where;
      else unread = item.serverReceive;
    } else {
      switch (item.did) {
        case 'connected':
          // Whoever comes again owes and is owed nothing, and reads.
          isOpen = true;
          owed = 0;
          partial = false;
          paused = false;
          isFlooding = false;
          break;
        case 'send':
          owed += item.lines;
          partial = !(item.lines > 0 && /\\n$/.test(item.text));
          break;
        case 'echo':
          owed = Math.max(0, owed - 1);
          break;
        case 'flood':
          isFlooding = true;
          break;
        case 'pause':
          paused = true;
          break;
        case 'read':
          paused = false;
          break;
        case 'fin':
        case 'reset':
        case 'cut':
        case 'error':
          isOpen = false;
          break;
      }
    }
    change(item.t);
  }
  isOpen = false;
  change(now);
  return segments;
}

/** Half a line stays half a line, although its next piece is unread for a moment. */
function steady(segments: readonly ClientSegment[], blink: Ms): ClientSegment[] {
  const kept: ClientSegment[] = [];
  for (const segment of segments) {
    const [half, unread] = kept.slice(-2);
    const isSame =
      JSON.stringify({ ...half, from: 0, to: 0 }) ===
      JSON.stringify({ ...segment, from: 0, to: 0 });
    const isBlink = unread?.where === 'unread' && unread.to - unread.from < blink;
    if (half && isBlink && isSame && unread.to === segment.from)
      kept.splice(-2, 2, { ...half, to: segment.to });
    else kept.push(segment);
  }
  return kept;
}

function tasksOf(trace: Trace, until: Ms, blink: Ms): TaskLane[] {
  // Its threads end with a process, whatever was seen of them last.
  const now = Math.min(until, trace.events.find(({ did }) => did === 'exit')?.t ?? until);
  return trace.tasks.map((task) => {
    const states = trace.facts.filter(
      (fact): fact is StateFact => fact.fact === 'state' && fact.task === task.id,
    );
    const spansOf = (kind: 'delay' | 'gap') =>
      trace.facts.flatMap((fact) =>
        fact.fact === kind && fact.task === task.id ? [{ from: fact.t - fact.ms, to: fact.t }] : [],
      );
    return {
      id: task.id,
      name: taskName(task, trace.tasks),
      segments: merged(
        withLines(statesOf(states, task, now, trace.blind.tasks), trace, task, now),
        blink,
      ),
      starved: spansOf('delay'),
      unseen: spansOf('gap'),
      echoes: echoesOf(trace, task),
    };
  });
}

/** What a lane is called: what the thread calls itself, or what it looks like from outside. */
function taskName(task: Task, tasks: readonly Task[]): string {
  if (task.name) return task.name;
  const hasThreads = tasks.some((one) => one.pid === task.pid && one.id !== task.id);
  const hasProcesses = tasks.some((one) => one.kind === 'process');
  if (task.kind === 'main') {
    if (hasThreads) return 'main thread';
    return hasProcesses ? 'first process' : 'process';
  }
  return `${task.kind} ${task.number}`;
}

function statesOf(
  states: readonly StateFact[],
  task: Task,
  now: Ms,
  blind: string | undefined,
): TaskSegment[] {
  if (blind !== undefined) return [{ from: task.t, to: now, kind: 'unknown', why: blind }];
  return states.flatMap((fact, i) => {
    const [from, to] = [fact.t, Math.min(states[i + 1]?.t ?? now, now)];
    if (fact.state === 'gone' || to <= from) return [];
    return [{ from, to, ...kindOf(fact) }];
  });
}

function kindOf(fact: StateFact): Omit<TaskSegment, 'from' | 'to'> {
  const { state, call, on = [], exact, ring, why } = fact;
  if (state === 'unknown') return { kind: 'unknown', ...(why === undefined ? {} : { why }) };
  if (state === 'runs' || state === 'stopped' || state === 'gone') {
    return { kind: state === 'runs' ? 'runs' : 'stopped' };
  }
  const named = call === undefined ? {} : { call };
  const outside = on.filter((target) => target.on !== 'other');
  const [only] = outside;
  if (!only)
    return { kind: call !== undefined && SLEEPS.includes(call) ? 'sleeps' : 'idle', ...named };
  const isClient = !['listener', 'loop', 'unknown'].includes(only.on);
  if (outside.length === 1 && isClient && exact !== false) {
    return { kind: 'one', who: only.on, ...named, on: outside };
  }
  const inFlight = ring ? { inFlight: ring.inFlight } : {};
  return { kind: 'any', ...named, on: outside, exact: exact !== false, ...inFlight };
}

/** Puts the lines that a thread pays for in the place of what it does meanwhile. */
function withLines(
  states: readonly TaskSegment[],
  trace: Trace,
  task: Task,
  now: Ms,
): TaskSegment[] {
  const inside = trace.inside.filter((one) => one.task === task.id);
  const lines = inside.flatMap(({ t, line, who }, i): TaskSegment[] => {
    if (line === undefined) return [];
    const to = Math.min(inside[i + 1]?.t ?? now, now);
    return [{ from: t, to, kind: 'computes', line, ...(who === undefined ? {} : { who }) }];
  });
  if (lines.length === 0) return [...states];
  const rest = states.flatMap((state) => without(state, lines));
  return [...rest, ...lines].sort((a, b) => a.from - b.from);
}

/** What is left of a segment when others have taken their part. */
function without(segment: TaskSegment, taken: readonly Span[]): TaskSegment[] {
  let left = [segment];
  for (const { from, to } of taken) {
    left = left.flatMap((piece) => {
      if (to <= piece.from || from >= piece.to) return [piece];
      const before = { ...piece, to: from };
      const after = { ...piece, from: to };
      return [before, after].filter((one) => one.to > one.from);
    });
  }
  return left;
}

/** Joins what is the same, and what a blink separates. */
function merged(segments: readonly TaskSegment[], blink: Ms): TaskSegment[] {
  const joined: TaskSegment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    const beforeLast = joined.at(-2);
    if (last && isSame(last, segment) && segment.from - last.to < blink) {
      joined[joined.length - 1] = { ...last, to: segment.to };
    } else if (
      last?.kind === 'runs' &&
      beforeLast &&
      isSame(beforeLast, segment) &&
      segment.from - beforeLast.to < blink
    ) {
      joined.pop();
      joined[joined.length - 1] = { ...beforeLast, to: segment.to };
    } else {
      joined.push(segment);
    }
  }
  return joined;
}

/** Whether two segments say the same; two lines of the same words are still two. */
function isSame(a: TaskSegment, b: TaskSegment): boolean {
  const said = ({ from, to, ...rest }: TaskSegment) => JSON.stringify(rest);
  return a.kind !== 'computes' && said(a) === said(b);
}

/**
 * The echoes that a task sent. It is the one thread that waits for this client and nobody else, if there is one; in
 * other servers the first thread of the process that holds the client.
 */
function echoesOf(trace: Trace, task: Task): TaskLane['echoes'] {
  const own = new Map<ClientId, TaskId>();
  for (const fact of trace.facts) {
    if (fact.fact !== 'state' || fact.on?.length !== 1 || fact.exact === false) continue;
    const [{ on }] = fact.on as [Target];
    if (!own.has(on)) own.set(on, fact.task);
  }
  const holderOf = new Map<ClientId, readonly TaskId[]>();
  const isBy = (who: ClientId) => {
    const thread = own.get(who);
    return thread ? thread === task.id : holderOf.get(who)?.includes(task.id);
  };
  const echoes: { t: Ms; who: ClientId; text: string }[] = [];
  const holders = trace.facts.filter((fact): fact is HolderFact => fact.fact === 'holder');
  for (const item of inOrder<HolderFact | Event>([holders, trace.events])) {
    if ('fact' in item) {
      if (item.where === 'held') holderOf.set(item.client, item.tasks ?? []);
    } else if (item.did === 'echo' && isBy(item.who)) {
      echoes.push({ t: item.t, who: item.who, text: item.text });
    }
  }
  return echoes;
}

/** Several lists, each in order of time, as one. */
function inOrder<T extends { readonly t: Ms }>(lists: readonly (readonly T[])[]): T[] {
  return lists.flat().sort((a, b) => a.t - b.t);
}

/** The segment in which a moment lies; at a border the later one. */
export function segmentAt<T extends Span>(segments: readonly T[], t: Ms): T | undefined {
  return segments.findLast(({ from, to }) => from <= t && t < to);
}
