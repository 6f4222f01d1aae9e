/**
 * A trace as lanes of characters: a lane for each client, which says where its line is, and a lane for
 * each thread, which says what it does and for whom. Pure: the terminal is somebody else's business.
 */
import type { Figure, Lesson } from '../lesson.ts';
import { Seen } from '../seen.ts';
import type { ClientId, Event, Fact, Ms, StateFact, Target, Task, Trace } from '../trace.ts';

/** A piece of a row, in the colour of a client. */
export interface Span {
  readonly text: string;
  readonly who?: ClientId;
  readonly style?: 'bold' | 'dim' | 'bad';
}

export type Row = readonly Span[];

/** Characters of a lane, each with the client whose colour it has. */
interface Cell {
  readonly sign: string;
  readonly who?: ClientId;
  readonly style?: Span['style'];
}

/** What each character means; for the legend. */
export const LEGEND: readonly (readonly [string, string])[] = [
  ['●', 'connects'],
  ['░', 'in the backlog'],
  ['═', 'waits for an answer'],
  ['┄', 'half a line sent'],
  ['≈', 'floods'],
  ['▲', 'answered'],
  ['×', 'cut off'],
  ['a', 'sleeps for Anna only'],
  ['A', 'computes her line'],
  ['·', 'sleeps for whoever comes first'],
  ['_', 'sleeps, watching no client'],
  ['#', 'runs'],
  ['/', 'ready, but no core is free'],
  ['?', 'cannot be seen'],
];

/** Columns of the labels on the left. */
const LABEL = 13;

const EMPTY: Cell = { sign: ' ' };

/** How many columns a lane has in a terminal of so many. */
export function laneWidth(columns: number): number {
  return Math.max(20, columns - LABEL - 1);
}

/** The heading: the axis of time, and what the clients do. */
export function scriptRows(
  lesson: Pick<Lesson, 'clients' | 'script' | 'duration'>,
  columns: number,
): Row[] {
  const width = laneWidth(columns);
  const rows: Row[] = [[{ text: pad('') }, { text: axis(lesson.duration, width), style: 'dim' }]];
  for (const [id, name] of Object.entries(lesson.clients)) {
    // What has no room beside the label before it stands in a row above.
    const [line, above] = [textLine(width), textLine(width)];
    for (const step of lesson.script) {
      if (step.who !== id) continue;
      const label = labelOf(step);
      const at = Math.min(column(step.at, lesson.duration, width), width - label.length);
      const row = [line, above].find(({ free }) => at >= free);
      if (!row) continue;
      for (const [i, sign] of [...label].entries()) row.signs[at + i] = sign;
      row.free = at + label.length + 1;
    }
    if (above.free > 0) rows.push([{ text: pad('') }, { text: above.signs.join(''), who: id }]);
    rows.push([
      { text: pad(name), who: id, style: 'bold' },
      { text: line.signs.join(''), who: id },
    ]);
  }
  return rows;
}

/** An empty row, and its first column that is free. */
function textLine(width: number): { signs: string[]; free: number } {
  return { signs: Array<string>(width).fill(' '), free: 0 };
}

/**
 * The lanes of one server.
 *
 * @param duration - how much time the whole width is
 * @param now - how much of it is over: nothing is drawn behind
 */
export function traceRows(
  trace: Trace,
  figure: Figure | undefined,
  columns: number,
  duration: Ms,
  now: Ms,
): Row[] {
  const width = laneWidth(columns);
  const isOver = now >= duration;
  const rows: Row[] = [heading(trace, figure, columns, isOver)];
  for (const [id, name] of Object.entries(trace.names)) {
    const lane = clientLane(trace, id, width, duration, now);
    rows.push([{ text: pad(`  ${name}`), who: id }, ...spans(lane)]);
  }
  for (const task of tasksToShow(trace)) {
    const lane = taskLane(trace, task, width, duration, now);
    rows.push([{ text: pad(`  ${nameOf(task, trace)}`), style: 'dim' }, ...spans(lane)]);
  }
  if (tasksToShow(trace).length === 0) rows.push([{ text: pad('  process'), style: 'dim' }]);
  return rows;
}

function heading(trace: Trace, figure: Figure | undefined, columns: number, isOver: boolean): Row {
  const name =
    trace.model.length > columns / 2 ? `${trace.model.slice(0, columns / 2)}…` : trace.model;
  if (!figure || !isOver) return [{ text: name, style: 'bold' }];
  const value = figure.of(new Seen(trace));
  const isBad =
    figure.badFrom !== undefined && (value ?? Number.POSITIVE_INFINITY) >= figure.badFrom;
  const text = `${figure.label}: ${quantity(value, figure)}`;
  const gap = ' '.repeat(Math.max(2, columns - 1 - name.length - text.length));
  return [{ text: name, style: 'bold' }, { text: gap }, isBad ? { text, style: 'bad' } : { text }];
}

/** A number with its unit, as people read it. */
export function quantity(value: number | undefined, { unit, none }: Figure): string {
  if (value === undefined) return none;
  if (unit === 'bytes') return `${(value / 1e6).toFixed(1)} MB`;
  const rounded = value < 10 && unit === 'ms' ? Math.round(value * 10) / 10 : Math.round(value);
  const number = rounded.toLocaleString('en-US');
  return unit === 'ms' ? `${number} ms` : number;
}

/** Threads that have a part in it: the primary of a cluster, who serves nobody, has none. */
export function tasksToShow({ tasks, facts }: Trace): Task[] {
  const first = tasks.find(({ kind }) => kind === 'main');
  const others = tasks.filter((task) => task !== first);
  const isIdle =
    first !== undefined &&
    others.some(({ kind }) => kind === 'process') &&
    !facts.some(
      (fact) =>
        (fact.fact === 'state' &&
          fact.task === first.id &&
          fact.on?.some(({ on }) => on !== 'other')) ||
        (fact.fact === 'holder' && fact.tasks?.includes(first.id)),
    );
  return isIdle ? others : [...tasks];
}

export function nameOf(task: Task, { tasks }: Trace): string {
  if (task.name) return task.name;
  if (task.kind === 'thread') return `thread ${task.number}`;
  if (task.kind === 'process') return `process ${task.number}`;
  return tasks.some(({ kind, pid }) => kind === 'thread' && pid === task.pid)
    ? 'main thread'
    : 'process';
}

// --- Lanes -------------------------------------------------------------------------------------

function clientLane(
  { events, facts }: Trace,
  id: ClientId,
  width: number,
  duration: Ms,
  now: Ms,
): Cell[] {
  const own = events.filter(({ who }) => who === id);
  const holders = facts.filter((fact) => fact.fact === 'holder' && fact.client === id);
  return cells(width, duration, now, (from, to) => {
    const within = own.filter(({ t }) => t >= from && t < to);
    if (within.some(({ did }) => did === 'cut')) return { sign: '×', who: id, style: 'bad' };
    if (within.some(({ did }) => did === 'echo')) return { sign: '▲', who: id };
    const state = clientState(own.filter(({ t }) => t < to));
    if (state === undefined) return EMPTY;
    const holder = holders.findLast(({ t }) => t < to);
    if (holder?.fact === 'holder' && holder.where === 'backlog') {
      return { sign: '░', who: id, style: 'bad' };
    }
    return { sign: state, who: id };
  });
}

/** The sign for a client, by everything that has happened to it so far; undefined: it is not there. */
function clientState(events: readonly Event[]): string | undefined {
  let isThere = false;
  let isFlooding = false;
  let owed = 0;
  let isHalf = false;
  for (const event of events) {
    if (event.did === 'connected') [isThere, owed, isHalf, isFlooding] = [true, 0, false, false];
    if (event.did === 'fin' || event.did === 'cut' || event.did === 'reset') isThere = false;
    if (event.did === 'flood') isFlooding = true;
    if (event.did === 'progress') isFlooding = event.echoed < event.sent;
    if (event.did === 'echo') owed--;
    if (event.did === 'send') {
      owed += event.lines;
      isHalf = !event.text.endsWith('\\r\\n') && !(event.lines > 0 && event.text.endsWith('\\n'));
    }
  }
  if (!isThere) return undefined;
  if (isFlooding) return '≈';
  if (owed > 0) return '═';
  return isHalf ? '┄' : '─';
}

function taskLane(
  { facts, inside }: Trace,
  task: Task,
  width: number,
  duration: Ms,
  now: Ms,
): Cell[] {
  const states = facts.filter(
    (fact): fact is StateFact => fact.fact === 'state' && fact.task === task.id,
  );
  const delays = facts.filter((fact) => fact.fact === 'delay' && fact.task === task.id);
  const gaps = facts.filter((fact) => fact.fact === 'gap' && fact.task === task.id);
  const lines = inside.filter((one) => one.task === task.id);
  const at = (t: Ms): Cell => {
    const line = lines.findLast((one) => one.t <= t);
    const isDelayed = delays.some((fact) => isWithin(fact, t));
    if (isDelayed) return { sign: '/', ...(line?.line && line.who ? { who: line.who } : {}) };
    if (line?.line !== undefined)
      return { sign: line.who ?? '#', ...(line.who ? { who: line.who } : {}) };
    if (gaps.some((fact) => isWithin(fact, t))) return { sign: '?' };
    return stateCell(states.findLast((fact) => fact.t <= t));
  };
  // A column is many looks: what fills most of it is drawn.
  return cells(width, duration, now, (from, to) => {
    const counts = new Map<string, { cell: Cell; n: number }>();
    for (let i = 0; i < SAMPLES; i++) {
      const cell = at(from + ((i + 0.5) * (to - from)) / SAMPLES);
      const key = `${cell.sign}${cell.who ?? ''}`;
      const entry = counts.get(key) ?? { cell, n: 0 };
      entry.n++;
      counts.set(key, entry);
    }
    return [...counts.values()].reduce((most, one) => (one.n > most.n ? one : most)).cell;
  });
}

const SAMPLES = 8;

function isWithin(fact: Fact, t: Ms): boolean {
  return (fact.fact === 'delay' || fact.fact === 'gap') && t > fact.t - fact.ms && t <= fact.t;
}

function stateCell(state: StateFact | undefined): Cell {
  if (state === undefined || state.state === 'gone') return EMPTY;
  if (state.state === 'unknown') return { sign: '?' };
  if (state.state === 'stopped') return { sign: '|' };
  if (state.state === 'runs') return { sign: '#' };
  const [only, ...others] = (state.on ?? []).filter(({ on }) => on !== 'other');
  if (!only) return { sign: '_' };
  if (others.length === 0 && isClient(only) && state.exact !== false) {
    return { sign: only.on.toLowerCase(), who: only.on };
  }
  return { sign: '·' };
}

function isClient({ on }: Target): boolean {
  return /^[A-Z]$/.test(on);
}

/** One cell for each column that is over. */
function cells(width: number, duration: Ms, now: Ms, cellOf: (from: Ms, to: Ms) => Cell): Cell[] {
  const step = duration / width;
  const lane: Cell[] = [];
  for (let i = 0; i < width && i * step < now; i++) lane.push(cellOf(i * step, (i + 1) * step));
  return lane;
}

// --- Characters --------------------------------------------------------------------------------

function spans(lane: readonly Cell[]): Span[] {
  const result: Span[] = [];
  let run: Cell | undefined;
  let text = '';
  const flush = () => {
    if (run && text) {
      result.push({
        text,
        ...(run.who ? { who: run.who } : {}),
        ...(run.style ? { style: run.style } : {}),
      });
    }
    text = '';
  };
  for (const cell of lane) {
    if (cell.who !== run?.who || cell.style !== run?.style) flush();
    run = cell;
    text += cell.sign;
  }
  flush();
  return result;
}

function axis(duration: Ms, width: number): string {
  const step =
    [100, 200, 250, 500, 1000, 2000, 5000].find((one) => (one / duration) * width >= 10) ?? 10_000;
  let line = '';
  for (let t = 0; t < duration; t += step) {
    const label = t === 0 ? '0' : `${t.toLocaleString('en-US')} ms`;
    const at = column(t, duration, width);
    if (at + label.length <= width) line = line.padEnd(at) + label;
  }
  return line;
}

function column(t: Ms, duration: Ms, width: number): number {
  return Math.min(width - 1, Math.floor((t / duration) * width));
}

function labelOf(step: Lesson['script'][number]): string {
  if (step.do === 'send') {
    const text = step.text.replaceAll('\r\n', '⏎').replace('\r', '␍').replace('\n', '␊');
    return /[⏎␍␊]$/.test(text) ? text : `${text}…`;
  }
  if (step.do === 'flood') return 'floods';
  if (step.do === 'end') return 'leaves';
  if (step.do === 'reset') return 'crashes';
  if (step.do === 'kill') return 'kill -9';
  if (step.do === 'stop') return 'SIGTERM';
  if (step.do === 'pause') return 'stops reading';
  if (step.do === 'read') return 'reads';
  return '●';
}

function pad(label: string): string {
  const short = label.length > LABEL - 1 ? `${label.slice(0, LABEL - 2)}…` : label;
  return short.padEnd(LABEL);
}
