/**
 * A story as SVG text. Colour is a client, form is a state. Everything is made of classes, so that one
 * style sheet serves light, dark and paper; nothing here knows a page.
 */
import type { ClientId, Event, Ms } from '../trace.ts';
import { stateOf } from './line.ts';
import { type Scale, ticks, x } from './scale.ts';
import { actOf, BUFFERS, crowdActs, forWhom, ms, size } from './sentences.ts';
import {
  type Bytes,
  type ClientLane,
  type ClientSegment,
  CROWD,
  nameOf,
  type Story,
  type TaskLane,
  type TaskSegment,
  total,
} from './story.ts';
import { escapeMarkup, fitting, widthOf } from './text.ts';

/** Text sizes, in pixels. */
const TEXT = 12;
const BAR_TEXT = 11.5;

/** Heights of lanes, in pixels. */
const CLIENT = 36;
const CLIENT_WITH_BYTES = 92;
const TASK = 25;
const BAR = 15;
const TASK_BAR = 20;

/** In a crowd each lane is a thin bar without words, and what stands for all of them is above. */
const CROWDED = 9;
const CROWDED_BAR = 6;
const CROWD_NAME = 18;

/** The number of colours for clients; who comes later shares one. */
const COLOURS = 6;

/** A drawing without its frame: lines of SVG, and how high they are. */
export interface Drawing {
  readonly height: number;
  readonly body: string;
}

/** The class that gives a client its colour. */
export function colourOf(clients: readonly { readonly id: ClientId }[], id: ClientId): string {
  const place = clients.findIndex((one) => one.id === id);
  return place < 0 ? 'anybody' : `client-${1 + (place % COLOURS)}`;
}

/** Frames a drawing. It is hidden from screen readers unless it has a label: the page says it in words. */
export function svg({ height, body }: Drawing, width: number, label?: string): string {
  const role = label ? `role="img" aria-label="${escapeMarkup(label)}"` : 'aria-hidden="true"';
  return `<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${role}>${body}</svg>`;
}

/** Places drawings one under the other. */
export function stacked(drawings: readonly Drawing[], gap = 0): Drawing {
  let height = 0;
  const body = drawings.map((drawing, i) => {
    if (i > 0) height += gap;
    const placed = `<g transform="translate(0 ${height})">${drawing.body}</g>`;
    height += drawing.height;
    return placed;
  });
  return { height, body: body.join('') };
}

// --- the script, and the axis -------------------------------------------------------------------

/** The time axis: round moments, named. */
export function axis(scale: Scale): Drawing {
  const marks = ticks(scale).map(({ t, label }) => {
    const at = x(scale, t);
    const half = widthOf(label, TEXT) / 2;
    const middle = Math.min(Math.max(at, half), scale.right + RIGHT - half);
    return `<text class="tick" x="${middle.toFixed(1)}" y="12" text-anchor="middle">${label}</text><path class="tick" d="M${at} 16v5"/>`;
  });
  return { height: 22, body: marks.join('') };
}

/** Pixels to the right of the plot, in which labels may still stand. */
export const RIGHT = 12;

/** What the clients do, the same for every server. */
export function script(story: Story, scale: Scale): Drawing {
  if (story.clients.length > CROWD) return crowdScript(story, scale);
  const lanes = story.clients.map((lane) => scriptLane(lane, story, scale));
  const drawing = stacked([...lanes, signals(story, scale)]);
  let top = 0;
  const guides = story.clients.map((lane, i) => {
    top += lanes[i]?.height ?? 0;
    const colour = colourOf(story.clients, lane.id);
    const moments = lane.events.filter((event) => actOf(event) !== '' && isShown(event, scale));
    const lines = moments.map(({ t }) => `M${x(scale, t)} ${top - 8}V${drawing.height}`);
    return `<path class="guide ${colour}" d="${lines.join('')}"/>`;
  });
  return { ...drawing, body: guides.join('') + drawing.body };
}

/** What a crowd does: one lane for all, in which what many do at about the same moment is one act. */
function crowdScript(story: Story, scale: Scale): Drawing {
  const acts = story.clients
    .flatMap(({ events }) => events)
    .filter((event) => actOf(event) !== '' && isShown(event, scale))
    .sort((a, b) => a.t - b.t);
  const groups = crowdActs(acts, near(scale));
  const labels = groups.map(({ t, what, n }) => ({ at: x(scale, t), text: `${n} ${what}` }));
  const rows = placed(labels, scale.right + RIGHT);
  const base = baseBelow(rows);
  const dots = acts.map(({ t }) => `<circle cx="${x(scale, t)}" cy="${base}" r="3.5"/>`);
  const texts = rows.map((label) => labelAbove(base, label));
  const [first, last] = [acts[0], acts.at(-1)];
  const line =
    first && last
      ? `<path class="presence" d="M${x(scale, first.t)} ${base}H${x(scale, last.t)}"/>`
      : '';
  const name = laneName(crowdName(story.clients, 'clients'), scale, base + 4);
  const lane = {
    height: base + 8,
    body: `<g class="everybody">${name}${line}${dots.join('')}${texts.join('')}</g>`,
  };
  return stacked([lane, signals(story, scale)]);
}

/** Milliseconds between two marks that a label has no room between. */
function near({ from, to, left, right }: Scale): Ms {
  return (60 * (to - from)) / Math.max(right - left, 1);
}

/** When clients do something, each with the class of its colour: what many do at one moment is one act. */
export function actsOf(story: Story, scale: Scale): { readonly t: Ms; readonly colour: string }[] {
  const isAct = (event: Event) => actOf(event) !== '' && isShown(event, scale);
  if (story.clients.length > CROWD) {
    const events = story.clients.flatMap((lane) => lane.events.filter(isAct));
    return crowdActs(events, near(scale)).map(({ t }) => ({ t, colour: 'everybody' }));
  }
  return story.clients.flatMap(({ id, events }) => {
    const colour = colourOf(story.clients, id);
    return events.filter(isAct).map(({ t }) => ({ t, colour }));
  });
}

/** What is done to the server, which is not the clients' doing. */
function signals(story: Story, scale: Scale): Drawing {
  const told = story.ends.filter((event) => event.did === 'signal' && isShown(event, scale));
  if (told.length === 0) return { height: 0, body: '' };
  const marks = told.map((event) => {
    const at = x(scale, event.t);
    return `<path class="signal" d="M${at} 0v22"/><text class="signal" x="${at + 6}" y="16">${actOf(event)}</text>`;
  });
  return { height: 24, body: laneName('server', scale, 16) + marks.join('') };
}

function scriptLane(lane: ClientLane, story: Story, scale: Scale): Drawing {
  const acts = lane.events.filter((event) => actOf(event) !== '' && isShown(event, scale));
  const rows = placed(
    acts.map((event) => ({ at: x(scale, event.t), text: actIn(lane, event) })),
    scale.right + RIGHT,
  );
  const base = baseBelow(rows);
  const colour = colourOf(story.clients, lane.id);
  const visits = visitsOf(acts, story.duration).map(
    ({ from, to }) => `M${x(scale, from)} ${base}H${x(scale, to)}`,
  );
  const line = visits.length > 0 ? `<path class="presence" d="${visits.join('')}"/>` : '';
  const dots = acts.map((event) => `<circle cx="${x(scale, event.t)}" cy="${base}" r="3.5"/>`);
  const labels = rows.map((label) => labelAbove(base, label));
  const body = `<g class="${colour}">${laneName(lane.name, scale, base + 4)}${line}${dots.join('')}${labels.join('')}</g>`;
  return { height: base + 8, body };
}

/** From when to when a client was there by its own acts: from its first act to its FIN or reset, and again. */
function visitsOf(acts: readonly Event[], duration: Ms): { from: Ms; to: Ms }[] {
  const visits: { from: Ms; to: Ms }[] = [];
  let from: Ms | undefined;
  for (const { did, t } of acts) {
    from ??= t;
    if (did !== 'end' && did !== 'reset') continue;
    visits.push({ from, to: t });
    from = undefined;
  }
  return from === undefined ? visits : [...visits, { from, to: duration }];
}

/** Who sends FIN and then gets answers has not left yet. */
function actIn({ events }: ClientLane, event: Event): string {
  const isEarly = event.did === 'end' && events.some(({ did, t }) => did === 'echo' && t > event.t);
  return isEarly ? 'sends FIN' : actOf(event);
}

function isShown({ t }: Event, { from, to }: Scale): boolean {
  return t >= from && t <= to;
}

/** Labels stand in so many rows at most, above the line on which their marks are. */
const ROWS = 3;

/** The y of that line: it has room above it for the rows that are there. */
function baseBelow(rows: readonly RowLabel[]): number {
  return 22 + 12 * Math.max(0, ...rows.map(({ row }) => row));
}

function labelAbove(base: number, { left, row, text }: RowLabel): string {
  return `<text class="act" x="${left}" y="${base - 7 - 13 * row}">${escapeMarkup(text)}</text>`;
}

interface Label {
  readonly at: number;
  readonly text: string;
}

interface RowLabel {
  readonly left: number;
  readonly row: number;
  readonly text: string;
}

/**
 * Puts labels to the right of their marks, in the first row that has room. Acts at one moment share a label. One
 * that has no room in any row is left out: its mark stays, and stepping names it.
 */
function placed(labels: readonly Label[], right: number): RowLabel[] {
  const ends = Array<number>(ROWS).fill(Number.NEGATIVE_INFINITY);
  const joined: { at: number; text: string }[] = [];
  for (const { at, text } of labels) {
    const last = joined.at(-1);
    if (last && at - last.at < 2) last.text += ` ${text}`;
    else joined.push({ at, text });
  }
  return joined.flatMap(({ at, text }) => {
    const width = widthOf(text, TEXT, true);
    const left = Math.min(at - 2, right - width);
    const row = ends.findIndex((end) => left >= end + 6);
    if (row < 0) return [];
    ends[row] = left + width;
    return [{ left: Math.round(left * 10) / 10, row, text }];
  });
}

/** The name of a lane, to the left of the plot. */
function laneName(name: string, scale: Scale, y: number): string {
  return `<text class="lane" x="${scale.left - 10}" y="${y}" text-anchor="end">${escapeMarkup(name)}</text>`;
}

/** Pixels that the names of lanes need, to the left of the plot. */
export function roomForNames(stories: readonly Story[]): number {
  const names = stories.flatMap(({ clients, tasks }) => {
    const [first, ...rest] = tasks.map(({ name }) => name);
    return [
      ...(clients.length > CROWD
        ? [widthOf(crowdName(clients, 'clients'), TEXT)]
        : clients.map(({ name }) => widthOf(name, TEXT, true))),
      widthOf(first ?? '', TEXT),
      ...(rest.length > CROWD ? [crowdName(rest, 'processes')] : rest).map((name) =>
        widthOf(name, TEXT),
      ),
    ];
  });
  return Math.ceil(Math.max(30, ...names)) + 12;
}

/** What the lanes of a crowd are called together: `16 clients`. */
function crowdName(lanes: readonly unknown[], what: 'clients' | 'threads' | 'processes'): string {
  return `${lanes.length} ${what}`;
}

// --- one server ---------------------------------------------------------------------------------

/** What one server did: where each client's line was, and what each thread did. */
export function lanes(story: Story, scale: Scale): Drawing {
  const [first, ...rest] = story.tasks;
  const isCrowd = rest.length > CROWD;
  const drawing = stacked([
    ...(story.clients.length > CROWD
      ? [crowdOfClients(story, scale)]
      : story.clients.map((lane) => clientLane(lane, story, scale))),
    { height: 3, body: '' },
    ...(first ? [taskLane(first, story, scale)] : []),
    ...(isCrowd
      ? [crowdOfTasks(rest, story, scale)]
      : rest.map((lane) => taskLane(lane, story, scale))),
  ]);
  const ended = story.ends.map((event) => {
    const at = x(scale, event.t);
    if (!isShown(event, scale)) return '';
    if (event.did === 'signal') return `<path class="signal" d="M${at} 0V${drawing.height}"/>`;
    // Beside the lane of its first process, where nothing else is drawn any more.
    const below = isCrowd ? CROWD_NAME + rest.length * CROWDED : rest.length * TASK;
    const y = drawing.height - below - TASK + 16;
    return inBar([`ended: ${event.how}`], at, scale.right + RIGHT + 4, y, 'note');
  });
  return { ...drawing, body: drawing.body + ended.join('') };
}

/** Many clients: where the line of each is, without a word; and in one line, when the last echo came. */
function crowdOfClients(story: Story, scale: Scale): Drawing {
  const rows = story.clients.map((lane, i): string => {
    const base = CROWD_NAME + i * CROWDED + CROWDED / 2;
    const bars = joined(lane.segments)
      .filter(({ from, to }) => to > scale.from && from < scale.to)
      .map(({ from, to, where }) => {
        const [left, right] = [x(scale, from), x(scale, to)];
        const isBar = where !== 'idle' && where !== 'flood' && right - left >= 2;
        if (!isBar) return `<path class="presence" d="M${left} ${base}H${right}"/>`;
        return `<rect class="bar ${where}" x="${left}" y="${base - CROWDED_BAR / 2}" width="${(right - left).toFixed(1)}" height="${CROWDED_BAR}"/>`;
      });
    const echoes = lane.events
      .filter((event) => event.did === 'echo' && isShown(event, scale))
      .map(({ t }) => `<path class="answer" d="M${x(scale, t)} ${base - 4}v8"/>`);
    const colour = colourOf(story.clients, lane.id);
    return `<g class="${colour}">${bars.join('')}${ends(lane, scale, base, false).join('')}${echoes.join('')}</g>`;
  });
  const waits = story.clients.flatMap(({ events }) =>
    events.flatMap((event) => (event.did === 'echo' ? [event] : [])),
  );
  const last = waits.reduce<(typeof waits)[number] | undefined>(
    (latest, one) => (latest && latest.t > one.t ? latest : one),
    undefined,
  );
  const longest = ms(Math.max(0, ...waits.map(({ waited }) => waited)));
  const texts = [`${waits.length} echoes, up to ${longest}`, longest];
  const at = last ? x(scale, last.t) : 0;
  const room = scale.right + RIGHT - at;
  const text = last ? inBar(texts, at - 6, at + room, 13, 'note') : '';
  const name = laneName(crowdName(story.clients, 'clients'), scale, 13);
  return {
    height: CROWD_NAME + story.clients.length * CROWDED + 4,
    body: name + text + rows.join(''),
  };
}

/** Many threads or processes: what each does, without a word. */
function crowdOfTasks(lanes: readonly TaskLane[], story: Story, scale: Scale): Drawing {
  const rows = lanes.map((lane, i): string => {
    const top = CROWD_NAME + i * CROWDED + (CROWDED - CROWDED_BAR) / 2;
    const boxes = lane.segments.map((segment) => {
      const [left, right] = [x(scale, segment.from), x(scale, segment.to)];
      if (segment.to <= scale.from || segment.from >= scale.to || right - left < 0.5) return '';
      const colour = segment.who === undefined ? 'anybody' : colourOf(story.clients, segment.who);
      return `<rect class="task ${segment.kind} ${colour} thin" x="${left}" y="${top}" width="${(right - left).toFixed(1)}" height="${CROWDED_BAR}" data-at="${stateOf(segment)}"/>`;
    });
    const overlay = (form: string) => (span: { from: Ms; to: Ms }) => {
      const [left, right] = [x(scale, span.from), x(scale, span.to)];
      if (right - left < 3) return '';
      return `<rect class="${form}" x="${left}" y="${top}" width="${(right - left).toFixed(1)}" height="${CROWDED_BAR}"/>`;
    };
    const overlays = [
      ...lane.starved.map(overlay('starved')),
      ...lane.unseen.map(overlay('unseen')),
    ];
    const echoes = lane.echoes
      .filter(({ t }) => t >= scale.from && t <= scale.to)
      .map(
        ({ t, who }) =>
          `<path class="answer ${colourOf(story.clients, who)}" d="M${x(scale, t)} ${top - 1}v${CROWDED_BAR + 2}"/>`,
      );
    return [...boxes, ...overlays, ...echoes].join('');
  });
  const kind = lanes.every(({ name }) => name.startsWith('process')) ? 'processes' : 'threads';
  return {
    height: CROWD_NAME + lanes.length * CROWDED + 4,
    body: laneName(crowdName(lanes, kind), scale, 13) + rows.join(''),
  };
}

function clientLane(lane: ClientLane, story: Story, scale: Scale): Drawing {
  const isTall = lane.buffers.length > 0;
  const base = isTall ? CLIENT_WITH_BYTES - 26 : 16;
  const parts = [
    laneName(lane.name, scale, base + 4),
    ...(isTall ? [bytesArea(lane, story, scale, base)] : []),
    ...joined(lane.segments)
      .filter(({ from, to }) => to > scale.from && from < scale.to)
      .map((segment) => clientSegment(segment, lane, scale, base)),
    ...ends(lane, scale, base),
    ...marks(lane, scale, base),
  ];
  return {
    height: isTall ? CLIENT_WITH_BYTES : CLIENT,
    body: `<g class="${colourOf(story.clients, lane.id)}">${parts.join('')}</g>`,
  };
}

/** A bar is drawn as one for as long as a line is in the same place, however many lines follow it. */
function joined(segments: readonly ClientSegment[]): ClientSegment[] {
  const bars: ClientSegment[] = [];
  for (const segment of segments) {
    const last = bars.at(-1);
    const goesOn = last?.where === segment.where && last.paused === segment.paused;
    if (last && goesOn && last.to === segment.from) {
      bars[bars.length - 1] = { ...last, to: segment.to, owed: Math.max(last.owed, segment.owed) };
    } else bars.push(segment);
  }
  return bars;
}

function clientSegment(
  segment: ClientSegment,
  lane: ClientLane,
  scale: Scale,
  base: number,
): string {
  const [left, right] = [x(scale, segment.from), x(scale, segment.to)];
  const width = right - left;
  const { where } = segment;
  if (where === 'idle' || where === 'flood') {
    const form = segment.paused ? 'presence paused' : 'presence';
    const text = segment.paused ? inBar(['reads nothing'], left, right, base - 5, 'note') : '';
    return `<path class="${form}" d="M${left} ${base}H${right}"/>${lane.buffers.length > 0 ? '' : text}`;
  }
  // What lasts as long as a blink is told by its marks.
  if (width < 2) return `<path class="presence" d="M${left} ${base}H${right}"/>`;
  const box = `<rect class="bar ${where}" x="${left}" y="${base - BAR / 2}" width="${width.toFixed(1)}" height="${BAR}" rx="2.5"/>`;
  const isStuck = where === 'backlog' || where === 'unread';
  return box + inBar(whereWords(segment), left, right, base + 4, isStuck ? 'stuck' : 'in');
}

function whereWords({ where, owed, partial }: ClientSegment): string[] {
  switch (where) {
    case 'backlog': {
      return [
        'in the backlog: connected, not accepted',
        'in the backlog: not accepted',
        'in the backlog',
        'backlog',
      ];
    }
    case 'unread':
      return ['in the kernel, unread by the server', 'in the kernel, unread', 'unread'];
    case 'server':
      return [...(owed > 1 ? [`in the server: ${owed} lines`] : []), 'in the server', 'in server'];
    case 'partial':
      return ['half a line: its end has not come', 'half a line', 'half'];
    case 'unknown':
      return ['cannot be seen', '?'];
    default:
      return partial ? ['half a line'] : [];
  }
}

/** A text that has found its place. */
interface Placed {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly form: string;
}

/** The longest of some texts that a bar has room for; undefined when it has room for none. */
function placeInBar(
  texts: readonly string[],
  left: number,
  right: number,
  form: string,
): Placed | undefined {
  const isBold = !/^(in|note)\b/.test(form);
  const text = fitting(texts, right - left - 10, BAR_TEXT, isBold);
  if (text === '') return undefined;
  return { text, left: left + 6, right: left + 6 + widthOf(text, BAR_TEXT, isBold), form };
}

function drawn(placed: Placed | undefined, y: number): string {
  if (!placed) return '';
  const { text, left, form } = placed;
  return `<text class="${form}" x="${left.toFixed(1)}" y="${y}">${escapeMarkup(text)}</text>`;
}

function inBar(
  texts: readonly string[],
  left: number,
  right: number,
  y: number,
  form: string,
): string {
  return drawn(placeInBar(texts, left, right, form), y);
}

/** How connections end: in order, or by a reset. */
function ends({ events }: ClientLane, scale: Scale, base: number, hasRoom = true): string[] {
  let free = Number.NEGATIVE_INFINITY;
  return events.flatMap((event) => {
    if (!isShown(event, scale)) return [];
    const at = x(scale, event.t);
    if (event.did === 'fin') return [`<path class="fin" d="M${at} ${base - 5}v10"/>`];
    if (event.did !== 'reset' && event.did !== 'cut' && event.did !== 'error') return [];
    // Who has sent FIN before is not cut off from anything.
    const isCutOff =
      event.did === 'cut' && !events.some(({ did, t }) => did === 'end' && t < event.t);
    const word = 'message' in event ? trouble(event.message) : isCutOff ? 'cut off' : 'RST';
    const cross = `<path class="cut" d="M${at - 4} ${base - 4}l8 8m0-8l-8 8"/>`;
    // Without room for a word there is the cross, and the sentence when one steps there.
    const width = widthOf(word, BAR_TEXT, true);
    const left = at + 7 + width <= scale.right + RIGHT ? at + 7 : at - 7 - width;
    if (left < free || !hasRoom) return [cross];
    free = left + width + 6;
    return [`${cross}<text class="cut" x="${left.toFixed(1)}" y="${base + 4}">${word}</text>`];
  });
}

function trouble(message: string): string {
  if (/refused/i.test(message)) return 'refused';
  return /not connected/.test(message) ? 'not connected' : 'error';
}

/** Lines that were sent, echoes that came, and how long they took. */
function marks({ events }: ClientLane, scale: Scale, base: number): string[] {
  const drawn: string[] = [];
  const waits: { at: number; waited: Ms }[] = [];
  for (const event of events) {
    if (!isShown(event, scale)) continue;
    const at = x(scale, event.t);
    if (event.did === 'send' && event.lines > 0) {
      drawn.push(`<path class="sent" d="M${at - 4} ${base - 14}h8l-4 7z"/>`);
    }
    if (event.did === 'echo') {
      drawn.push(`<path class="echo" d="M${at - 4} ${base + 15}h8l-4 -7z"/>`);
      waits.push({ at, waited: event.waited });
    }
    if (event.did === 'part') {
      drawn.push(`<path class="echo part" d="M${at - 4} ${base + 15}h8l-4 -7z"/>`);
    }
  }
  return [...drawn, ...waitLabels(waits, scale, base + 17)];
}

/** A label for each wait; where they would collide, one for all of them says how many and the longest. */
function waitLabels(
  waits: readonly { readonly at: number; readonly waited: Ms }[],
  scale: Scale,
  y: number,
): string[] {
  const groups: Waits[] = [];
  for (const { at, waited } of waits) {
    groups.push({ first: at, last: at, all: [waited] });
    // One that joins another may now reach one that is further away.
    for (;;) {
      const [before, group] = groups.slice(-2);
      if (!before || !group || placeOf(before, scale).right + 8 <= placeOf(group, scale).left)
        break;
      groups.splice(-2, 2, {
        ...{ first: before.first, last: group.last },
        all: [...before.all, ...group.all],
      });
    }
  }
  return groups.map((group) => {
    const form = Math.max(...group.all) >= SLOW ? 'wait slow' : 'wait';
    const { left, text } = placeOf(group, scale);
    return `<text class="${form}" x="${left.toFixed(1)}" y="${y}">${text}</text>`;
  });
}

/** Echoes that share a label, which stands to their right, or to their left where there is no room. */
interface Waits {
  /** In pixels. */
  readonly first: number;
  readonly last: number;
  readonly all: readonly Ms[];
}

function placeOf({ first, last, all }: Waits, scale: Scale) {
  const longest = ms(Math.max(...all));
  const text = all.length === 1 ? longest : `${all.length} echoes, up to ${longest}`;
  const width = widthOf(text, BAR_TEXT, true);
  const [after, before] = [last + 6, first - 6 - width];
  const most = scale.right + RIGHT - width;
  const left = after > most && before >= scale.left ? before : Math.min(after, most);
  return { left, right: left + width, text };
}

/** An echo that took so long is shown as late, in milliseconds. */
const SLOW: Ms = 100;

/** Where a flood's bytes are: the four buffers, one above the other, in the order of their way. */
function bytesArea(
  { buffers, name }: ClientLane,
  story: Story,
  scale: Scale,
  base: number,
): string {
  const most = Math.max(...story.clients.flatMap((lane) => lane.buffers.map(total)), 1);
  const height = base - 10;
  const parts: string[] = [];
  const samples = thinned(buffers, scale);
  BUFFERS.forEach(({ id }, layer) => {
    const below = (bytes: Bytes) =>
      BUFFERS.slice(layer + 1).reduce((sum, next) => sum + bytes[next.id], 0);
    const y = (value: number) => (base - 3 - (value / most) * height).toFixed(1);
    const top: string[] = [];
    const bottom: string[] = [];
    samples.forEach((bytes, i) => {
      const [from, to] = [x(scale, bytes.t), x(scale, samples[i + 1]?.t ?? story.duration)];
      top.push(`${from} ${y(below(bytes) + bytes[id])}`, `${to} ${y(below(bytes) + bytes[id])}`);
      bottom.unshift(`${to} ${y(below(bytes))}`, `${from} ${y(below(bytes))}`);
    });
    if (samples.some((bytes) => bytes[id] > most / 200)) {
      parts.push(`<path class="bytes bytes-${layer + 1}" d="M${[...top, ...bottom].join('L')}z"/>`);
      parts.push(bytesLabel(samples, layer, name, scale, story.duration, most, height, base));
    }
  });
  return parts.join('');
}

/** One sample for each pixel is enough. */
function thinned(buffers: readonly Bytes[], scale: Scale): Bytes[] {
  const kept: Bytes[] = [];
  for (const bytes of buffers) {
    const last = kept.at(-1);
    if (last && x(scale, bytes.t) - x(scale, last.t) < 1)
      kept[kept.length - 1] = { ...bytes, t: last.t };
    else kept.push(bytes);
  }
  return kept;
}

/** Names a layer where it is widest and high enough, and says how much it is at most. */
function bytesLabel(
  samples: readonly Bytes[],
  layer: number,
  name: string,
  scale: Scale,
  end: Ms,
  most: number,
  height: number,
  base: number,
): string {
  const buffer = BUFFERS[layer];
  if (!buffer) return '';
  // The longest stretch in which the layer is high enough for a text.
  const isHigh = (bytes: Bytes) => (bytes[buffer.id] / most) * height >= BAR_TEXT;
  let best: { from: number; to: number; at: Bytes } | undefined;
  let run: { from: number; to: number; at: Bytes } | undefined;
  samples.forEach((bytes, i) => {
    if (!isHigh(bytes)) {
      run = undefined;
      return;
    }
    const to = x(scale, samples[i + 1]?.t ?? end);
    // The text must lie in the layer all along: where it moves, a new stretch begins.
    const moves = run && Math.abs(middle(run.at, layer) - middle(bytes, layer)) / most > 0.08;
    run = run && !moves ? { ...run, to } : { from: x(scale, bytes.t), to, at: bytes };
    if (!best || run.to - run.from > best.to - best.from) best = run;
  });
  if (!best) return '';
  const bytes = Math.max(...samples.map((one) => one[buffer.id]));
  const words = buffer.words(name);
  const y = base - 3 - (middle(best.at, layer) / most) * height + 4;
  const texts = [`in ${words}: ${size(bytes)}`, `${words}: ${size(bytes)}`, size(bytes)];
  const text = fitting(texts, best.to - best.from - 10, BAR_TEXT);
  return (
    text && `<text class="in bytes-text" x="${best.from + 6}" y="${y.toFixed(1)}">${text}</text>`
  );
}

function middle(bytes: Bytes, layer: number): number {
  const below = BUFFERS.slice(layer + 1).reduce((sum, next) => sum + bytes[next.id], 0);
  return below + bytes[BUFFERS[layer]?.id ?? 'clientSend'] / 2;
}

function taskLane(lane: TaskLane, story: Story, scale: Scale): Drawing {
  const top = 2;
  const parts = [laneName(lane.name, scale, top + 14)];
  const texts: Placed[] = [];
  for (const segment of lane.segments) {
    if (segment.to <= scale.from || segment.from >= scale.to) continue;
    const { box, text } = taskSegment(segment, lane, story, scale, top);
    parts.push(box);
    if (text) texts.push(text);
  }
  const overlay = (form: string, { from, to }: { from: Ms; to: Ms }) => {
    const [left, right] = [x(scale, from), x(scale, to)];
    if (right - left < 3) return;
    parts.push(
      `<rect class="${form}" x="${left}" y="${top}" width="${(right - left).toFixed(1)}" height="${TASK_BAR}"/>`,
    );
    if (form !== 'starved') return;
    const text = placeInBar(['ready, but no core is free', 'no core'], left, right, form);
    // What the thread does is more than that it waited meanwhile.
    const isFree = texts.every((one) => !text || one.right < text.left || one.left > text.right);
    if (text && isFree) texts.push(text);
  };
  for (const span of lane.starved) overlay('starved', span);
  for (const span of lane.unseen) overlay('unseen', span);
  for (const { t, who } of lane.echoes) {
    if (t < scale.from || t > scale.to) continue;
    const colour = colourOf(story.clients, who);
    parts.push(`<path class="answer ${colour}" d="M${x(scale, t)} ${top - 1}v${TASK_BAR + 2}"/>`);
  }
  return { height: TASK, body: [...parts, ...texts.map((text) => drawn(text, top + 14))].join('') };
}

function taskSegment(
  segment: TaskSegment,
  lane: TaskLane,
  story: Story,
  scale: Scale,
  top: number,
): { readonly box: string; readonly text?: Placed | undefined } {
  const [left, right] = [x(scale, segment.from), x(scale, segment.to)];
  // Whatever runs is drawn, be it as short as a pixel.
  const isBusy = segment.kind === 'runs' || segment.kind === 'computes';
  const width = Math.max(right - left, isBusy ? 1 : 0);
  if (width < 0.5) return { box: '' };
  const colour = segment.who === undefined ? 'anybody' : colourOf(story.clients, segment.who);
  const inset = segment.kind === 'one' ? 1 : 0;
  const box = `<rect class="task ${segment.kind} ${colour}" x="${left + inset}" y="${top + inset}" width="${Math.max(width - 2 * inset, 0.5).toFixed(1)}" height="${TASK_BAR - 2 * inset}" rx="2.5" data-at="${stateOf(segment)}"/>`;
  const marks = lane.echoes.map(({ t }) => x(scale, t)).filter((at) => at > left && at < right);
  const form = segment.kind === 'computes' ? 'computed' : segment.kind === 'one' ? 'waiting' : 'in';
  const words = taskWords(segment, story);
  return { box, text: taskText(words, [left, ...marks, right], `${form} ${colour}`) };
}

/** Between the marks of echoes, where a text is best read; where it is too long for that, across them. */
function taskText(
  words: readonly string[],
  edges: readonly number[],
  form: string,
): Placed | undefined {
  const [left, right] = [edges[0] ?? 0, edges.at(-1) ?? 0];
  const [from, to] = widest(edges);
  const telling = words.slice(0, 2);
  const fits = (room: number) => fitting(telling, room - 10, BAR_TEXT, true) !== '';
  if (!fits(to - from) && fits(right - left)) {
    return placeInBar(words, left, right, `${form} across`);
  }
  return placeInBar(words, from, to, form);
}

/** The widest gap between edges; of two about as wide the first. */
function widest(edges: readonly number[]): [number, number] {
  let best: [number, number] = [edges[0] ?? 0, edges[0] ?? 0];
  for (let i = 1; i < edges.length; i++) {
    const [from = 0, to = 0] = [edges[i - 1], edges[i]];
    if (to - from > (best[1] - best[0]) * 1.5) best = [from, to];
  }
  return best;
}

function taskWords(segment: TaskSegment, story: Story): string[] {
  const call = segment.call === undefined ? 'a system call' : `${segment.call}(2)`;
  switch (segment.kind) {
    case 'one': {
      const name = nameOf(story, segment.who ?? '');
      const isOutput = segment.on?.[0]?.for === 'output';
      const what = isOutput ? `until ${name} reads` : `for ${name}`;
      return [
        `waits in ${call} ${what}, and for nobody else`,
        `waits in ${call} ${what}`,
        `${call} ${what}`,
        what,
        call,
      ];
    }
    case 'any':
      return [
        `waits in ${call} ${forWhom(story, segment)}`,
        `waits ${forWhom(story, segment).replace(' on its sockets', '')}`,
        `waits in ${call}`,
        call,
      ];
    case 'idle':
      return ['idle'];
    case 'sleeps':
      return [`sleeps in ${call}`, 'sleeps'];
    case 'computes':
      return [`computes ${segment.line ?? ''}`, segment.line ?? ''];
    case 'unknown':
      return ['cannot be seen', '?'];
    case 'stopped':
      return ['stopped'];
    case 'runs':
      return [];
  }
}
