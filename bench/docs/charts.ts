/** Which charts there are, and what they show. */
import type { Measure } from '../question.ts';
import { type Bar, barChart, type Column, lineChart } from './chart.ts';
import { figuresAt, leaders, MARGIN_IN_WORDS, type Place } from './contest.ts';
import { type Book, type Figure, short } from './figures.ts';

export interface Chart {
  /** `docs/charts/NAME.svg` */
  readonly name: string;
  /** In words, for those who cannot see it. */
  readonly title: string;
  readonly svg: string;
}

/** A column of a bar chart: one measure in one cell. */
interface Pick extends Place {
  readonly heading: readonly [string, string];
}

/** The summary's columns: one figure for each question, the most telling that the run has. */
export function summaryPicks(book: Book): Pick[] {
  const pick = (question: string, measure: string, cell: string, ...heading: [string, string]) => ({
    ...{ question, cell, measure, heading },
  });
  const large = book.hasMeasure('idle', 'idle', 'each10000') ? 'each10000' : 'each1000';
  return [
    pick('echo', 'linesPerSecond', 'echo-50', 'echoes/s', '50 clients'),
    pick('bulk', 'megabytesPerSecond', 'bulk-50', 'MB/s', '50 clients'),
    pick('idle', large, 'idle', 'memory', 'a silent client'),
    pick('neighbours', 'p99', 'neighbours-slow-100', 'wait (p99)', '100 do not read'),
    pick('work', 'linesPerSecond', 'work-1', 'lines/s', '1 ms CPU each'),
    pick('come-and-go', 'clientsPerSecond', 'come-and-go', 'clients/s', 'come and go'),
    pick(
      'growth',
      'linesPerSecond',
      lastCell(book, 'growth'),
      'echoes/s',
      `${silent(lastCell(book, 'growth'))} silent`,
    ),
  ].filter(({ question, cell, measure }) => book.hasMeasure(question, cell, measure));
}

function lastCell(book: Book, question: string): string {
  return book.cells(question).at(-1)?.id ?? '';
}

function silent(cell: string): string {
  return Number(cell.split('-').at(-1) || 0).toLocaleString('en-US');
}

const MORE = 'Longer is better.';
const LESS = 'Shorter is better.';

/** Everything that is drawn from a results file. */
export function charts(book: Book): Chart[] {
  const made: Chart[] = [];
  const bars = (
    name: string,
    title: string,
    better: string,
    picks: readonly Pick[],
    common = false,
  ) => {
    const present = picks.filter((one) => book.hasMeasure(one.question, one.cell, one.measure));
    if (present.length === 0) return;
    made.push({ name, title, svg: barsOf(book, present, title, better, common) });
  };
  const ids = (question: string, measure: string, heading: (words: string) => [string, string]) =>
    book.cells(question).map(({ id, words }) => ({
      ...{ question, cell: id, measure, heading: heading(words) },
    }));

  bars(
    'summary',
    'What each model costs: one figure for each question',
    'More is better, but less for memory and waiting.',
    summaryPicks(book),
  );
  bars(
    'echo',
    'Echoes a second',
    MORE,
    ids('echo', 'linesPerSecond', (words) => [words, 'echoes a second']),
    true,
  );
  bars(
    'bulk',
    'Megabytes a second',
    MORE,
    ids('bulk', 'megabytesPerSecond', (words) => [words.split(',')[0] ?? '', 'megabytes a second']),
    true,
  );
  bars('idle', 'What a silent client costs', LESS, idlePicks());
  bars(
    'neighbours',
    'The longest wait of 99 in 100 lines of polite clients',
    LESS,
    ids('neighbours', 'p99', (words) => [words.replace('beside ', ''), '99 % wait at most']),
    true,
  );
  bars('work', 'Lines a second when each costs CPU', MORE, [
    ...ids('work', 'linesPerSecond', (words) => [words, 'lines a second']),
  ]);
  bars('work-wait', 'How long everyone else waits when lines cost CPU', LESS, [
    ...ids('work', 'p50', (words) => [words, 'others wait (median)']),
  ]);
  bars('come-and-go', 'Clients a second that come, get one echo, and go', MORE, [
    ...ids('come-and-go', 'clientsPerSecond', () => ['connect, echo, close', 'clients a second']),
  ]);
  const growth = growthChart(book);
  if (growth) made.push(growth);
  return made;
}

function idlePicks(): Pick[] {
  const pick = (measure: Measure['name'], ...heading: [string, string]) => ({
    ...{ question: 'idle', cell: 'idle', measure, heading },
  });
  return [
    pick('startUp', 'to the first echo', 'from its start'),
    pick('memory', 'without clients', 'memory'),
    pick('each1000', 'each of 1,000', 'memory for each'),
    pick('each10000', 'each of 10,000', 'memory for each'),
  ];
}

function barsOf(
  book: Book,
  picks: readonly Pick[],
  title: string,
  better: string,
  common: boolean,
): string {
  const figures = picks.map((pick) => figuresAt(book, pick));
  const most = (list: readonly Figure[]) =>
    Math.max(Number.MIN_VALUE, ...list.map(({ median }) => median));
  const rows = book.ids.filter((id) => figures.flat().some(({ contestant }) => contestant === id));
  const columns: Column[] = picks.map((pick, i) => {
    const mine = figures[i] ?? [];
    const longest = most(common ? figures.flat() : mine);
    const best = leaders(book, pick);
    const bars = rows.map((row): Bar => {
      const figure = mine.find(({ contestant }) => contestant === row);
      const share = figure && figure.median / longest;
      const label = figure ? short(figure) : '–';
      return { row, isModel: book.isModel(row), share, label, isBest: best.includes(row) };
    });
    return { heading: pick.heading, bars };
  });
  const blocking = rows.includes('blocking') && picks.length > 1;
  const caption = `${better} Blue: models; bold: the best, and those within ${MARGIN_IN_WORDS} of it. Grey: baselines.${blocking ? ' –: not asked.' : ''}`;
  return barChart(columns, rows, title, caption);
}

/** Each contestant's throughput as a share of its own without silent clients. */
function growthChart(book: Book): Chart | undefined {
  const cells = book.cells('growth');
  const lines = book.ids.flatMap((name) => {
    const points = cells.flatMap(({ id }) => {
      const y = book.quotient('growth', 'linesPerSecond', id, 'growth-0', name);
      return y === undefined ? [] : [{ x: Number(id.split('-').at(-1)), y }];
    });
    if (points.length === 0) return [];
    return [{ name, isModel: book.isModel(name), isMain: name === 'poll-loop', points }];
  });
  if (lines.length === 0) return undefined;
  const title = 'Echoes a second beside silent clients, as a share of those without them';
  const svg = lineChart(lines, 'silent clients', 'share of its own throughput without them', title);
  return { name: 'growth', title, svg };
}
