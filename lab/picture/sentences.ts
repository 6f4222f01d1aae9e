/** What a picture says, in words: a few short sentences for each model at a moment. */
import type { Event, Ms, Target } from '../trace.ts';
import {
  type Bytes,
  type ClientLane,
  type ClientSegment,
  CROWD,
  nameOf,
  type Story,
  segmentAt,
  type TaskLane,
  type TaskSegment,
} from './story.ts';

/** An echo is said to happen at a moment when it came so shortly before. */
const JUST_NOW: Ms = 1;

/** To wait for a core for less than this is not worth a word. */
const WORTH_SAYING: Ms = 3;

/** What the server does and where each client's line is, at a moment. */
export function sentencesAt(story: Story, t: Ms): string[] {
  const exit = story.ends.find((event) => event.did === 'exit' && event.t <= t);
  return [
    ...whatTasksDo(story, t),
    ...(exit ? ['The server has ended.'] : []),
    ...(story.clients.length > CROWD
      ? [...whereTheyAre(story, t), ...memoryAt(story, t)]
      : story.clients.flatMap((lane) => whereItIs(lane, story.ends, t))),
  ];
}

/** Where the lines of many clients are: how many are in the same place. */
function whereTheyAre({ clients }: Story, t: Ms): string[] {
  const number = new Map<ClientSegment['where'], number>();
  for (const { segments } of clients) {
    const where = segmentAt(segments, t)?.where;
    if (where) number.set(where, (number.get(where) ?? 0) + 1);
  }
  const places = [
    ['backlog', 'wait in the backlog, connected but not accepted'],
    ['unread', 'have bytes in the kernel that nobody has read'],
    ['server', 'have a line in the server'],
    ['partial', 'have sent a line without its end'],
    ['unknown', 'have sent a line, and where it is cannot be seen'],
  ] as const;
  const said = places.flatMap(([where, what]) => {
    const n = number.get(where) ?? 0;
    if (n === 0) return [];
    return [`${n === 1 ? 'One' : n} ${n === 1 ? `client ${singular(what)}` : `clients ${what}`}.`];
  });
  const answered = clients.filter(({ events }) => events.some((e) => e.did === 'echo' && e.t <= t));
  const n = answered.length;
  const have = n === 1 ? 'One of them has' : `${n} of ${clients.length} have`;
  return n === 0 ? said : [...said, `${have} an echo.`];
}

function memoryAt({ memory }: Story, t: Ms): string[] {
  const [first, now] = [memory[0], memory.findLast((one) => one.t <= t)];
  if (!first || !now) return [];
  const grown = now.bytes - first.bytes;
  const more = grown < 1e6 ? '' : `, ${size(grown)} more than at the beginning`;
  return [`The server has ${size(now.bytes)} of memory of its own${more}.`];
}

/** Threads that do the same share a sentence. */
function whatTasksDo(story: Story, t: Ms): string[] {
  const groups = new Map<string, TaskLane[]>();
  for (const task of story.tasks) {
    const said = predicate(story, task, t);
    if (said !== undefined) groups.set(said, [...(groups.get(said) ?? []), task]);
  }
  return [...groups].map(([said, tasks]) => {
    const isAlone = story.tasks.length === 1;
    const subject = isAlone
      ? 'the process'
      : subjectOf(
          tasks.map(({ name }) => name),
          story.tasks.length > CROWD,
        );
    return `${capitalised(subject)} ${tasks.length > 1 ? plural(said) : said}.`;
  });
}

/** Names of threads, in a sentence: `thread 1, thread 2, thread 3` are `threads 1 to 3`. */
function subjectOf(names: readonly string[], isCrowd: boolean): string {
  const numbered = names.flatMap((name) => {
    const [, kind = '', number] = /^(.+) (\d+)$/.exec(name) ?? [];
    return number === undefined ? [] : [{ name, kind, number: Number(number) }];
  });
  const rest = names.filter((name) => !numbered.some((one) => one.name === name)).map(withArticle);
  const [first] = numbered;
  const isOneKind = numbered.every(({ kind }) => kind === first?.kind);
  if (!first || !isOneKind || numbered.length < 3) {
    return list([...rest, ...numbered.map(({ name }) => name)], 'and');
  }
  const isRow = numbered.every(({ number }, i) => number === first.number + i);
  const row = `${plurals(first.kind)} ${first.number} to ${numbered.at(-1)?.number}`;
  const several = isCrowd ? [count(numbered.length, first.kind)] : numbered.map(({ name }) => name);
  return list([...rest, ...(isRow ? [row] : several)], 'and');
}

function plurals(noun: string): string {
  return /s$/.test(noun) ? `${noun}es` : `${noun}s`;
}

function withArticle(name: string): string {
  return `the ${name}`;
}

/** What comes after the subject, in the singular; undefined when the task is not there. */
function predicate(story: Story, task: TaskLane, t: Ms): string | undefined {
  const echo = task.echoes.findLast((one) => one.t <= t && t - one.t < JUST_NOW);
  if (echo && story.tasks.length > CROWD) return 'has just echoed a line';
  if (echo) return `has just echoed ${quoted(echo.text)} to ${nameOf(story, echo.who)}`;
  if (task.starved.some(({ from, to }) => from <= t && t < to && to - from >= WORTH_SAYING)) {
    return 'is ready to run, but no core is free';
  }
  const segment = segmentAt(task.segments, t);
  if (segment && task.unseen.some(({ from, to }) => from <= t && t < to)) {
    return 'could not be looked at just then';
  }
  return segment && doing(story, segment);
}

function doing(story: Story, segment: TaskSegment): string {
  switch (segment.kind) {
    case 'one': {
      const isCrowd = story.tasks.length > CROWD;
      const name = isCrowd ? 'its client' : nameOf(story, segment.who ?? '');
      const isOutput = segment.on?.[0]?.for === 'output';
      const forWhom = isOutput ? `until ${name} reads` : `for ${name}`;
      return `waits in ${call(segment)} ${forWhom}, and for nobody else`;
    }
    case 'any':
      return `waits in ${call(segment)} ${forWhom(story, segment)}`;
    case 'idle':
      return 'has nothing to do';
    case 'sleeps':
      return `sleeps in ${call(segment)}`;
    case 'computes': {
      const whose = segment.who === undefined ? 'the line' : `${nameOf(story, segment.who)}’s line`;
      return `computes ${whose} ${quoted(segment.line ?? '')}`;
    }
    case 'runs':
      return 'runs';
    case 'stopped':
      return 'is stopped';
    case 'unknown':
      return `cannot be seen${segment.why ? ` (${segment.why})` : ''}`;
  }
}

function call({ call: name }: TaskSegment): string {
  return name === undefined ? 'a system call' : `${name}(2)`;
}

/** Whom somebody who waits for several waits for, or what has to be done for them. */
export function forWhom(
  story: Pick<Story, 'names'>,
  segment: Pick<TaskSegment, 'on' | 'exact' | 'inFlight'>,
): string {
  const { inFlight } = segment;
  if (!inFlight) return `for ${anyOf(story, segment)}`;
  // A poll is for the program's own signals and timers: nothing that a client does.
  const known = ['recv', 'send', 'accept'];
  const names = Object.keys(inFlight).filter((name) => name !== 'poll');
  const inOrder = [
    ...known.filter((name) => names.includes(name)),
    ...names.filter((name) => !known.includes(name)).sort(),
  ];
  const counted = inOrder.map((name) => count(inFlight[name] ?? 0, OPERATION[name] ?? name));
  return `with ${counted.length > 0 ? list(counted, 'and') : 'nothing'} in flight on its sockets`;
}

/** An operation that was handed over, as a noun. */
const OPERATION: Readonly<Record<string, string>> = { recv: 'reception' };

function anyOf(
  story: Pick<Story, 'names'>,
  { on = [], exact }: Pick<TaskSegment, 'on' | 'exact'>,
): string {
  // An event loop within a table stands for signals and timers: nothing that a client does.
  const outside = on.filter((target) => target.on !== 'loop');
  const isKnown = outside.length > 0 && outside.every((target) => target.on !== 'unknown');
  if (!exact || !isKnown) return 'whoever comes first';
  if (Object.keys(story.names).length > CROWD) return ofMany(outside);
  // An epoll instance lists them in an order of its own; people look for them in that of the picture.
  const order = Object.keys(story.names);
  const place = ({ on }: Target) => order.indexOf(on) + 1 || order.length + 1;
  const wanted = [...outside].sort((a, b) => place(a) - place(b)).map((one) => want(story, one));
  return list(wanted, 'or');
}

/** As many clients as one does not name. */
function ofMany(targets: readonly Target[]): string {
  const clients = targets.filter(({ on }) => on !== 'listener');
  const output = clients.filter((target) => target.for === 'output').length;
  const input = clients.length - output;
  return list(
    [
      ...(input > 0 ? [input === 1 ? 'one client' : `any of ${input} clients`] : []),
      ...(output > 0 ? [`room for the echo of ${count(output, 'client')}`] : []),
      ...(clients.length < targets.length ? ['a new client'] : []),
    ],
    'or',
  );
}

function want(story: Pick<Story, 'names'>, { on, for: what }: Target): string {
  if (on === 'listener') return 'a new client';
  const name = nameOf(story, on);
  if (what === 'input') return name;
  return what === 'output' ? `room for ${name}’s echo` : `${name}, or room for ${name}’s echo`;
}

function whereItIs(lane: ClientLane, ends: Story['ends'], t: Ms): string[] {
  const { name, segments, buffers, events } = lane;
  const segment = segmentAt(segments, t);
  if (!segment) return afterEnd(lane, ends, t);
  const lines = segment.owed === 1 ? `${name}’s line` : `${segment.owed} of ${name}’s lines`;
  const be = segment.owed === 1 ? 'is' : 'are';
  const said: string[] = [];
  switch (segment.where) {
    case 'backlog': {
      const withWhat = segment.owed > 0 ? `, with ${count(segment.owed, 'line')}` : '';
      said.push(`${name} waits in the backlog, connected but not accepted${withWhat}.`);
      break;
    }
    case 'unread':
      if (segment.owed > 0) said.push(`${lines} ${be} in the kernel, unread.`);
      else said.push(`${name}’s half a line is in the kernel, unread.`);
      break;
    case 'server':
      said.push(`${lines} ${be} in the server.`);
      break;
    case 'partial':
      said.push(`${name} has sent a line without its end.`);
      break;
    case 'unknown':
      said.push(`Where ${lines} ${be} cannot be seen.`);
      break;
  }
  if (segment.paused) said.push(`${name} reads nothing.`);
  const bytes = buffers.findLast((one) => one.t <= t);
  if (bytes) said.push(...whereBytesAre(name, bytes));
  const end = events.find((event) => event.did === 'end');
  if (end && end.t <= t) said.push(`${name} has sent FIN.`);
  return said;
}

/** A server that is told to stop closes its connections; from one that is killed they are lost. */
function afterEnd({ name, events }: ClientLane, ends: Story['ends'], t: Ms): string[] {
  if (!hasLost(events, t)) return [];
  const signal = ends.findLast((end) => end.did === 'signal' && end.t <= t);
  const isStopped = signal?.did === 'signal' && signal.signal === 'SIGTERM';
  const end = events.findLast(({ did, t: at }) => at <= t && (did === 'fin' || did === 'cut'));
  return isStopped && end?.did === 'fin'
    ? [`The server has closed ${name}’s connection.`]
    : [`${name} has lost the connection.`];
}

/** Whether a connection had ended at a moment, and not because its client left. */
function hasLost(events: readonly Event[], t: Ms): boolean {
  const past = events.filter((event) => event.t <= t);
  const last = past.findLast(({ did }) =>
    ['connected', 'fin', 'cut', 'end', 'reset'].includes(did),
  );
  if (last?.did !== 'fin' && last?.did !== 'cut') return false;
  return !past.some(({ did, t: at }) => did === 'end' && at < last.t);
}

function whereBytesAre(name: string, bytes: Bytes): string[] {
  const parts = BUFFERS.filter(({ id }) => bytes[id] >= 1024).map(
    ({ id, words }) => `${size(bytes[id])} in ${words(name)}`,
  );
  return parts.length > 0 ? [`${name}’s bytes: ${list(parts, 'and')}.`] : [];
}

/** The kernel's four buffers, in the order in which bytes pass through them. */
export const BUFFERS = [
  { id: 'clientSend', words: (name: string) => `${name}’s send buffer` },
  { id: 'serverReceive', words: () => 'the server’s receive buffer' },
  { id: 'serverSend', words: () => 'the server’s send buffer' },
  { id: 'clientReceive', words: (name: string) => `${name}’s receive buffer` },
] as const;

/** What a client does, as the script says it: `connects`, `hal…`, `leaves`. Empty for what happens to it. */
export function actOf(event: Event): string {
  switch (event.did) {
    case 'connect':
      return 'connects';
    case 'send':
      return shown(event.text);
    case 'flood':
      return event.bytes < 1e9 ? `sends ${size(event.bytes)}` : 'floods';
    case 'pause':
      return 'stops reading';
    case 'read':
      return 'reads again';
    case 'end':
      return 'leaves (FIN)';
    case 'reset':
      return 'resets';
    case 'signal':
      return event.signal;
    default:
      return '';
  }
}

/** Acts of a crowd at about the same moment: what, how many, and when the first of them was. */
export interface CrowdAct {
  readonly t: Ms;
  readonly n: number;
  /** `connect`, `send a line each`, `leave (FIN)` */
  readonly what: string;
}

/** What a crowd does. @param near - acts of one kind that are closer than this, in milliseconds, are one */
export function crowdActs(events: readonly Event[], near: Ms): CrowdAct[] {
  const acts: { t: Ms; n: number; what: string }[] = [];
  for (const event of [...events].sort((a, b) => a.t - b.t)) {
    const plain = actOf(event).replace(/^(\w+?)s\b/, '$1');
    if (plain === '') continue;
    const what = event.did === 'send' ? 'send a line each' : plain;
    const same = acts.find((one) => one.what === what && event.t - one.t < near);
    if (same) same.n++;
    else acts.push({ t: event.t, n: 1, what });
  }
  return acts;
}

/** An event as a sentence, for those who step through. */
export function eventSentence(names: Story['names'], event: Event): string {
  const name = event.who === 'server' ? 'The server' : nameOf({ names }, event.who);
  switch (event.did) {
    case 'connect':
      return `${name} connects.`;
    case 'connected':
      return `The kernel has answered ${name}.`;
    case 'send': {
      const isWhole = event.lines > 0 && /\\n$/.test(event.text);
      const what = isWhole ? count(event.lines, 'line') : 'a piece';
      const sends = event.isWanted ? 'wants to send' : 'sends';
      return `${name} ${sends} ${event.lines === 1 && isWhole ? '' : `${what}: `}${quoted(event.text)}.`;
    }
    case 'flood':
      return event.bytes < 1e9
        ? `${name} begins to send ${size(event.bytes)}.`
        : `${name} begins to flood.`;
    case 'pause':
      return `${name} stops reading.`;
    case 'read':
      return `${name} reads again.`;
    case 'end':
      return `${name} sends FIN.`;
    case 'fin':
      return `The server’s FIN comes to ${name}.`;
    case 'reset':
      return `${name} resets the connection.`;
    case 'cut':
      return `${name}’s connection is reset.`;
    case 'echo':
      return `The echo ${quoted(event.text)} comes to ${name}, after ${ms(event.waited)}.`;
    case 'part':
      return `${quoted(event.text)} comes back to ${name}, without an end.`;
    case 'error':
      return `${name}: ${event.message}.`;
    case 'signal':
      return `The server gets ${event.signal}.`;
    case 'exit':
      return typeof event.how === 'number'
        ? `The server ends, with exit code ${event.how}.`
        : `The server is ended by ${event.how}.`;
    default:
      return '';
  }
}

/** Escaped text as people see it: `hello⏎`, `hal…`. */
export function shown(text: string): string {
  const lines = text.replaceAll('\\r\\n', '⏎');
  const [first = ''] = lines.split('⏎');
  const more = lines.split('⏎').length - 2;
  const ended = lines.endsWith('⏎');
  if (ended && more > 2) return `${first}⏎ … ${more + 1} lines`;
  const whole = ended ? lines : `${lines}…`;
  return text === '\\r' ? 'CR' : text === '\\n' ? 'LF' : whole;
}

function quoted(text: string): string {
  const bare = text.replace(/\\r\\n$/, '').replaceAll('\\r\\n', '⏎');
  if (text === '\\r') return 'CR';
  if (text === '\\n') return 'LF';
  return `“${bare.length > 24 ? `${bare.slice(0, 23)}…` : bare}”`;
}

/** `1.2 ms`, `250 ms`, `2,002 ms`, `12.3 s`. */
export function ms(time: Ms): string {
  if (time >= 10_000) return `${(time / 1000).toFixed(1)} s`;
  return `${time < 9.95 ? time.toFixed(1) : Math.round(time).toLocaleString('en')} ms`;
}

/** Bytes as people say them, in powers of 1000. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  const [unit, n] = bytes < 999.5e6 ? ['MB', bytes / 1e6] : ['GB', bytes / 1e9];
  return `${n < 9.95 ? n.toFixed(1).replace(/\.0$/, '') : Math.round(n)} ${unit}`;
}

export function count(n: number, what: string): string {
  return n === 1 ? `one ${what}` : `${n} ${plurals(what)}`;
}

export function list(items: readonly string[], word: 'and' | 'or'): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The same predicate, for one. */
function singular(said: string): string {
  return said.replace(/^wait/, 'waits').replace(/^have/, 'has');
}

/** The same predicate, for several. */
function plural(said: string): string {
  return said
    .replace(/^(wait|sleep)s/, '$1')
    .replace(/^has /, 'have ')
    .replace(/ (for|until) its client(.*), and for nobody else$/, ', each $1 its own client$2')
    .replace(/^computes/, 'compute')
    .replace(/^runs/, 'run')
    .replace(/^is /, 'are ');
}
