/** Which charts there are, and what they show. */
import { type Bar, barChart } from './bar-chart.ts';
import { figuresAt, leaders, MARGIN_IN_WORDS, type Place, verdict } from './contest.ts';
import { type Book, type Figure, short, writtenRatio } from './figures.ts';
import { lineChart } from './line-chart.ts';
import { type RatioBar, ratioChart } from './ratio-chart.ts';
import { type Wait, waitChart } from './wait-chart.ts';

export interface Chart {
  /** `docs/charts/NAME.svg` */
  readonly name: string;
  /** The alternative text, for readers who cannot see the chart. */
  readonly title: string;
  readonly svg: string;
}

/** A column of a chart: one measure in one cell. */
export interface Pick extends Place {
  readonly heading: readonly [string, string];
}

/** Everything that is drawn from a results file. */
export function charts(book: Book): Chart[] {
  const each = (
    question: string,
    measure: string,
    heading: (words: string) => [string, string],
  ): Pick[] =>
    book
      .cells(question)
      .map(({ id, words }) => ({ question, cell: id, measure, heading: heading(words) }));
  const all = [
    summary(book),
    bars(
      book,
      'echo',
      'Echoes a second',
      each('echo', 'linesPerSecond', inTwo('echoes a second')),
      { areAlike: true },
    ),
    bars(
      book,
      'bulk',
      'Megabytes a second',
      each('bulk', 'megabytesPerSecond', inTwo('megabytes a second')),
      { areAlike: true },
    ),
    bars(book, 'idle', 'What a silent client costs', idlePicks(book)),
    waits(book),
    bars(
      book,
      'work',
      'Lines a second when each costs CPU',
      each('work', 'linesPerSecond', (words) => [words, 'lines a second']),
    ),
    bars(
      book,
      'work-wait',
      'How long everyone else waits when lines cost CPU',
      each('work', 'p50', (words) => [words, 'others wait (median)']),
    ),
    bars(
      book,
      'come-and-go',
      'Clients a second that come, get one echo, and go',
      each('come-and-go', 'clientsPerSecond', () => ['connect, echo, close', 'clients a second']),
    ),
    growth(book),
  ];
  return all.filter((chart) => chart !== undefined);
}

/** A heading from the words of a cell: the part after the comma is the second line. */
function inTwo(otherwise: string): (words: string) => [string, string] {
  return (words) => {
    const [first = '', ...rest] = words.split(', ');
    return [first, rest.join(', ') || otherwise];
  };
}

/** The summary's columns: for each question the most telling figure of the run. */
export function summaryPicks(book: Book): Pick[] {
  const large = crowds(book).at(-1)?.measure ?? '';
  const most = book.cells('growth').at(-1)?.id ?? '';
  const silent = Number(most.split('-').at(-1) || 0).toLocaleString('en-US');
  const picks: readonly [string, string, string, string, string][] = [
    ['echo', 'echo-50', 'linesPerSecond', 'echoes/s', '50 clients'],
    ['bulk', 'bulk-50', 'megabytesPerSecond', 'MB/s', '50 clients'],
    ['idle', 'idle', large, 'memory', 'a silent client'],
    ['neighbours', 'neighbours-flood', 'p50', 'wait (median)', 'beside a flood'],
    ['work', 'work-1', 'linesPerSecond', 'lines/s', '1 ms CPU each'],
    ['come-and-go', 'come-and-go', 'clientsPerSecond', 'clients/s', 'come and go'],
    ['growth', most, 'linesPerSecond', 'echoes/s', `${silent} silent`],
  ];
  return picks
    .map(([question, cell, measure, ...heading]) => ({ question, cell, measure, heading }))
    .filter((pick) => isThere(book, pick));
}

function idlePicks(book: Book): Pick[] {
  const idle = { question: 'idle', cell: 'idle' };
  return [
    { ...idle, measure: 'startUp', heading: ['from its start', 'to the first echo'] },
    { ...idle, measure: 'memory', heading: ['memory', 'without clients'] },
    ...crowds(book),
  ];
}

/** What each silent client costs, in larger and larger crowds. */
function crowds(book: Book): Pick[] {
  const measures = book.results.questions.find(({ id }) => id === 'idle')?.measures ?? [];
  return measures
    .filter(({ name }) => name.startsWith('each'))
    .map(({ name, words }): Pick => {
      return {
        question: 'idle',
        cell: 'idle',
        measure: name,
        heading: ['memory', words.replace(' clients', '')],
      };
    })
    .filter((pick) => isThere(book, pick));
}

function isThere(book: Book, { question, cell, measure }: Place): boolean {
  return book.hasMeasure(question, cell, measure);
}

const COLOURS = 'Blue: models. Grey: baselines.';
const BOLD = `Bold: the best model, and any within ${MARGIN_IN_WORDS} of it.`;

/** What every cell of a grid has. */
interface Spot {
  readonly row: string;
  readonly column: number;
  readonly isModel: boolean;
  readonly isBest: boolean;
}

/** All cells of a grid, with the figure of each, where there is one. */
function spots(book: Book, picks: readonly Pick[]) {
  const figures = picks.map((pick) => figuresAt(book, pick));
  const rows = book.ids.filter((id) => figures.flat().some(({ contestant }) => contestant === id));
  const all = picks.flatMap((pick, column) => {
    const best = leaders(book, pick);
    return rows.map((row): Spot & { figure: Figure | undefined } => ({
      ...{ row, column, isModel: book.isModel(row), isBest: best.includes(row) },
      figure: figures[column]?.find(({ contestant }) => contestant === row),
    }));
  });
  const dash = all.some(({ figure }) => !figure) ? ' –: not measured.' : '';
  return { rows, all, dash };
}

function summary(book: Book): Chart | undefined {
  const picks = summaryPicks(book);
  if (picks.length === 0) return undefined;
  const { rows, all, dash } = spots(book, picks);
  const bars = all.map(({ figure, ...spot }): RatioBar => {
    const ratio = figure?.ratio;
    const advantage = ratio && (figure.better === 'more' ? ratio : 1 / ratio);
    const pick = picks[spot.column];
    const isProven = pick !== undefined && verdict(book, pick, spot.row) !== undefined;
    return { ...spot, advantage, isProven, label: figure ? writtenRatio(figure) : '–' };
  });
  const title =
    "What each model costs: one figure for each question, as a multiple of the baseline's";
  const others = picks.some(({ question }) => question === 'work');
  const caption = [
    `Multiples of pipe${others ? ' (with 1 ms CPU each, of poll-loop)' : ''}. Right: better; left: worse. Logarithmic scale, cut off at five times.`,
    `${BOLD} ${COLOURS} Pale: not proven.${dash}`,
  ];
  const svg = ratioChart({ columns: picks, rows, caption, title }, bars);
  return { name: 'summary', title, svg };
}

/** @param areAlike - whether one scale is for all columns */
function bars(
  book: Book,
  name: string,
  title: string,
  wanted: readonly Pick[],
  { areAlike = false } = {},
): Chart | undefined {
  const picks = wanted.filter((pick) => isThere(book, pick));
  if (picks.length === 0) return undefined;
  const { rows, all, dash } = spots(book, picks);
  const longest = (column: number) =>
    Math.max(
      Number.MIN_VALUE,
      ...all.flatMap((spot) =>
        areAlike || spot.column === column ? (spot.figure?.max ?? []) : [],
      ),
    );
  const made = all.map(({ figure, ...spot }): Bar => {
    if (!figure) return { ...spot, label: '–' };
    const { median, min, max } = figure;
    const most = longest(spot.column);
    const share = { median: median / most, min: min / most, max: max / most };
    return { ...spot, share, label: short(figure) };
  });
  const isMore = all.some(({ figure }) => figure?.better === 'more');
  const caption = [
    `${isMore ? 'Longer' : 'Shorter'} is better. Bar: median; line: lowest to highest round.`,
    `${BOLD} ${COLOURS}${dash}`,
  ];
  return { name, title, svg: barChart({ columns: picks, rows, caption, title }, made) };
}

/** Median and 99th percentile in one chart. Cells with one bad neighbour are left out if there is one with 100. */
function waits(book: Book): Chart | undefined {
  const cells = book.cells('neighbours');
  const shown = cells.filter(({ id }) => !cells.some((other) => other.id === `${id}00`));
  const picks = shown.map(({ id, words }): Pick => {
    const alone = id.endsWith('alone');
    const heading = [
      alone ? 'alone' : words.replace('beside ', ''),
      alone ? 'polite clients only' : 'beside polite clients',
    ] as const;
    return { question: 'neighbours', cell: id, measure: 'p50', heading };
  });
  const { rows, all } = spots(book, picks);
  const made = all.flatMap(({ figure, ...spot }): Wait[] => {
    const cell = picks[spot.column]?.cell ?? '';
    const p99 = book.figure('neighbours', cell, 'p99', spot.row);
    if (!figure || !p99) return [];
    return [
      { ...spot, p50: figure.median, p99: p99.median, label: `${short(figure)}, ${short(p99)}` },
    ];
  });
  if (made.length === 0) return undefined;
  const title = 'How long polite clients wait for an echo, beside bad neighbours';
  const caption = [
    'How long a line waited for its echo. Dot and first figure: median. End of the line and second figure: 99th percentile.',
    `Logarithmic. Bold: the best median of a model, and any within ${MARGIN_IN_WORDS} of it. ${COLOURS}`,
  ];
  return {
    name: 'neighbours',
    title,
    svg: waitChart({ columns: picks, rows, caption, title }, made),
  };
}

/** Each contestant's throughput as a share of its own without silent clients. */
function growth(book: Book): Chart | undefined {
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
