/** Which charts there are, and what they show. */
import { dotChart, type Row } from './dot-chart.ts';
import { type Book, type Figure, written } from './figures.ts';
import { chart as ioUringChart, titleOf } from './io-uring/chart.ts';
import { comparisons } from './io-uring/comparison.ts';
import { type Finding, findingOf, type Section, type View } from './section.ts';
import { sections } from './sections/index.ts';
import { type Summary, summaryOf } from './summary.ts';
import { summaryChart } from './summary-chart.ts';
import { isRate } from './tables.ts';

export interface Chart {
  /** `docs/charts/NAME.svg` */
  readonly name: string;
  /** The alternative text: what the chart shows, for readers who cannot see it. */
  readonly title: string;
  /** What is drawn. */
  readonly rows: readonly Row[];
  readonly better: 'more' | 'less';
  readonly svg: string;
}

/** Everything that is drawn from a results file. */
export function charts(book: Book): Chart[] {
  const summary = summaryOf(book);
  return [
    ...(summary ? [chartOfSummary(summary)] : []),
    ...sections.flatMap((section) => chartOf(section, book) ?? []),
    ...chartOfIoUring(book),
  ];
}

function chartOfSummary(summary: Summary): Chart {
  const title = `${summary.headline}. ${summary.finding}`;
  return { name: 'summary', title, rows: [], better: 'less', svg: summaryChart(summary, title) };
}

function chartOfIoUring(book: Book): Chart[] {
  const all = comparisons(book);
  if (all.length === 0) return [];
  return [
    { name: 'io-uring', title: titleOf(all), rows: [], better: 'less', svg: ioUringChart(all) },
  ];
}

function chartOf(section: Section, book: Book): Chart | undefined {
  const view = section.view(book);
  const [first] = view?.figures ?? [];
  if (!view || !first) return undefined;
  const finding = findingOf(section, book);
  const rows = view.figures.map((figure) => rowOf(figure, view, finding, book));
  const { what, legend, marks } = view;
  const title = alternative(view, finding);
  const heading = finding.heading.replaceAll('`', '');
  const { unit, better } = first;
  const named = isRate(first) ? `${what} (${unit})` : what;
  const svg = dotChart({
    ...{ title: `${heading}. ${title}`, what: named, unit, better, rows },
    ...(legend ? { legend } : {}),
    ...(marks ? { marks } : {}),
  });
  return { name: section.question, title, rows, better, svg };
}

function rowOf(figure: Figure, { before }: View, { about }: Finding, book: Book): Row {
  const { contestant: name, median: value, min, max } = figure;
  const other = before?.find(({ contestant }) => contestant === name);
  return {
    ...{ name, value, min, max, label: label(figure) },
    isModel: book.isModel(name),
    isAbout: about.includes(name),
    ...(other ? { before: other.median } : {}),
  };
}

/** As in the tables: a rate has no unit, because it is named above. */
function label(figure: Figure): string {
  return written(isRate(figure) ? { ...figure, unit: '' } : figure);
}

/** How many contestants an alternative text names: the last is often the one that the others are compared with. */
const NAMED = 3;

/** The finding in figures: "CPU time … for an echo: poll-loop 72 µs; the others from c-epoll 5.1 µs to rxjs 14 µs." */
function alternative({ what, figures, before, legend }: View, { about }: Finding): string {
  const figureOf = (figure: Figure) => {
    const other = before?.find(({ contestant }) => contestant === figure.contestant);
    const also = other && legend ? ` (${legend.before} ${written(other)})` : '';
    return `${figure.contestant} ${written(figure)}${also}`;
  };
  const named = [...about.slice(0, NAMED - 1), ...about.slice(NAMED - 1).slice(-1)].flatMap((id) =>
    figures.filter((one) => one.contestant === id),
  );
  const others = figures.filter(({ contestant }) => !about.includes(contestant));
  const sorted = [...others].sort((a, b) => a.median - b.median);
  const [low, high] = [sorted[0], sorted.at(-1)];
  const rest = low && high ? [`from ${figureOf(low)} to ${figureOf(high)}`] : [];
  if (named.length > 0 && rest.length > 0) rest[0] = `the others ${rest[0]}`;
  return `${what}${legend ? ` ${legend.now}` : ''}: ${[...named.map(figureOf), ...rest].join('; ')}.`;
}
