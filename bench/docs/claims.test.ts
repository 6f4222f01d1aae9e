/** The headings of the page: a claim stands there if a run supports it, and only then. */
import { expect, test } from 'vitest';
import { Book } from './figures.ts';
import { type Figure, madeUp } from './made-up.ts';
import { findingOf } from './section.ts';
import { sections } from './sections/index.ts';
import { summaryOf } from './summary.ts';

type Measured = Parameters<typeof madeUp>;

function headings(...run: Measured): string[] {
  const book = new Book(madeUp(...run));
  return sections.map((section) => findingOf(section, book).heading);
}

/** A run in which some contestants have another figure at one measure of one cell. */
const only =
  (cell: string, measure: string, figures: Record<string, number>): Figure =>
  (id, place) =>
    place.cell === cell && place.measure === measure ? figures[id] : undefined;

const NOTHING = /: this run proves no difference$/;
const FEW = { blocking: 20, 'worker-threads': 40 };
const waits: Figure = (id, { cell }) =>
  cell === 'wait-50' ? (FEW[id as keyof typeof FEW] ?? 980) : undefined;
const memory: Figure = (id, { cell, measure }) => {
  const isHeavy = /-per-connection/.test(id);
  if (cell !== 'idle' || !measure.startsWith('each')) return undefined;
  return isHeavy ? 9000 : 5;
};

/** A claim, and a run that supports it. */
const supported: readonly (readonly [RegExp, Figure])[] = [
  [
    /^An echo takes less CPU time over epoll\(7\) .* io_uring\(7\) less still$/,
    only('echo-50', 'cpuPerLine', { 'io-uring': 5, 'epoll-loop': 7, events: 10 }),
  ],
  [
    /^An echo takes less CPU time in a loop/,
    only('echo-50', 'cpuPerLine', { 'epoll-loop': 7, events: 10 }),
  ],
  [/^An echo that goes to another thread/, only('echo-50', 'cpuPerLine', { 'worker-threads': 40 })],
  [
    /^One loop over poll\(2\) .* epoll\(7\) does not$/,
    only('growth-10000', 'cpuPerLine', { 'poll-loop': 60 }),
  ],
  [
    /^One loop over poll\(2\) .* say nothing$/,
    only('growth-10000', 'cpuPerLine', { 'poll-loop': 60, 'epoll-loop': 30 }),
  ],
  [/^10,000 silent clients cost no model here/, only('', '', {})],
  [/^A thread or process for each client costs megabytes/, memory],
  [
    /^A silent client takes more memory on Node’s sockets/,
    only('idle', 'each9000', { 'epoll-loop': 1 }),
  ],
  [/^When lines wait, a pool is limited by its threads/, waits],
  [/^When lines cost CPU time, only more/, only('work-1', 'linesPerSecond', { cluster: 40 })],
  [
    /^When lines cost CPU time, several threads or processes answer more/,
    only('work-1', 'linesPerSecond', { cluster: 40, events: 30 }),
  ],
  [/^In bulk, a loop with large reads/, only('bulk-50', 'cpuPerLine', { 'epoll-loop': 5 })],
  [/^Text in a string costs more/, only('bulk-50', 'cpuPerLine', { snippet: 50 })],
  [
    /^Beside a flood, the clients of Node’s sockets wait longer/,
    only('neighbours-flood', 'p50', { events: 3000 }),
  ],
  [/^A flood makes other clients wait/, only('neighbours-flood', 'p50', { rxjs: 3000 })],
  [
    /^When clients come and go, starting a process/,
    only('come-and-go', 'clientsPerSecond', { 'process-per-connection': 1 }),
  ],
  [
    /^A new client takes more on Node’s sockets/,
    only('come-and-go', 'clientsPerSecond', { 'epoll-loop': 60 }),
  ],
];

test('a run in which all are level supports no claim that somebody is ahead', () => {
  const [growth, ...others] = headings(only('', '', {})).sort();
  expect(growth).toMatch(/^10,000 silent clients cost no model here CPU time$/);
  for (const heading of others) expect(heading).toMatch(NOTHING);
});

test.each(supported)('%s is claimed of a run that supports it', (claim, figure) => {
  expect(headings(figure).filter((heading) => claim.test(heading))).toHaveLength(1);
});

/** The given figures as they are in one round only, and in all others the usual ones. */
const onceOnly =
  (figure: Figure): Figure =>
  (id, place) =>
    place.round === 2 ? undefined : figure(id, place);

test.each(supported.filter(([claim]) => !claim.test('10,000 silent clients cost no model here')))(
  '%s is not claimed when one round says otherwise, nor of two rounds',
  (claim, figure) => {
    for (const heading of headings(onceOnly(figure))) expect(heading).not.toMatch(claim);
    for (const heading of headings(figure, 2)) expect(heading).not.toMatch(claim);
  },
);

test('two rounds prove nothing at all', () => {
  for (const heading of headings(only('', '', {}), 2)) expect(heading).toMatch(NOTHING);
});

test('a difference within the margin, or the other way round, is not claimed', () => {
  const close = headings(
    only('echo-50', 'cpuPerLine', { 'io-uring': 18, 'epoll-loop': 19, events: 20 }),
  );
  expect(close[0]).toMatch(NOTHING);
  const reversed = headings(only('growth-10000', 'cpuPerLine', { 'poll-loop': 5 }));
  expect(reversed[1]).toMatch(NOTHING);
  const slow = headings(only('work-1', 'linesPerSecond', { cluster: 5, 'worker-threads': 5 }));
  expect(slow[4]).toMatch(NOTHING);
});

test('what the generator limited is not said to be slower', () => {
  const figure = only('come-and-go', 'clientsPerSecond', { 'process-per-connection': 1 });
  expect(headings(figure)[7]).not.toMatch(NOTHING);
  expect(headings(figure, 5, { saturation: 1 })[7]).toMatch(NOTHING);
});

test('the headline of the summary is what the run has shown', () => {
  const headline = (...run: Measured) => summaryOf(new Book(madeUp(...run)))?.headline;
  const everywhere: Figure = (id, { measure }) => {
    if (id !== 'rxjs') return undefined;
    return /PerSecond/.test(measure) ? 40 : 10;
  };
  expect(headline(everywhere)).toBe('Best, or level with the best, in all 6: rxjs');
  expect(
    headline((id, place) => (place.cell === 'work-1' ? undefined : everywhere(id, place))),
  ).toBe('Best, or level with the best, in all 6: rxjs');
  const not: Figure = (id, place) => (place.cell === 'work-1' ? undefined : everywhere(id, place));
  const events: Figure = (id, place) =>
    id === 'events' && place.cell === 'work-1' ? 40 : not(id, place);
  expect(headline(events)).toBe('No model is best at everything; rxjs is among the best in 5 of 6');
  expect(headline(everywhere, 2)).toBe('Too few rounds to say who is best');
});
