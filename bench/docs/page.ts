/** `docs/tradeoffs.md`: every figure in it comes from one results file. */
import { digits, median, type QuestionResults } from '../results.ts';
import type { Chart } from './charts.ts';
import { asked, explanation } from './explanations.ts';
import type { Book } from './figures.ts';
import { guide, limits } from './guide.ts';
import { figuresTable, summaryNote, verdicts } from './summary.ts';
import { tables } from './tables.ts';

/** @param file - the results file's name, without its folder */
export function page(book: Book, charts: readonly Chart[], file: string): string {
  const { results } = book;
  return `${[
    `# What each model costs`,
    introduction(book, file),
    '## Summary',
    picture(charts, 'summary'),
    verdicts(book),
    figuresTable(book),
    summaryNote(book),
    warnings(book),
    ...results.questions.map((question, i) => section(book, question, i + 1, charts)),
    '## What not to conclude',
    limits(book),
    '## Which model for which job',
    guide(book),
  ]
    .filter(Boolean)
    .join('\n\n')}\n`;
}

function introduction({ results }: Book, file: string): string {
  const { machine, kernel, node, date, commit, dirty, options, took } = results;
  const { rounds, seconds, quick } = options;
  return [
    `One run of \`npm run bench${quick ? ' -- --quick' : ''}\`, ${date.slice(0, 10)}, commit ${commit}${dirty ? ' with changes' : ''}: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${kernel}, Node ${node}; up to ${rounds} rounds of ${seconds} s, ${Math.round(took / 60)} minutes in all. This page, its tables and its charts are drawn by \`npm run bench:docs\` from [that run's file](../bench/results/${file}), which holds every round.`,
    `${results.placement}`,
    'Every byte of every answer was compared with what was sent; a server that gets one wrong is not timed. All contestants take turns in every round. **The figure to read is the ratio**, in parentheses: the median, over the rounds, of a figure divided by the baseline\'s in the same round. Absolute figures belong to that machine and that hour. "≥" and "≤" mark where the load generator was seen to be the limit: the server can do that much, perhaps more (and "~", in a ratio, that both it and the baseline can). How it is measured: [bench/README.md](../bench/README.md).',
  ].join('\n\n');
}

function warnings({ results }: Book): string {
  const lines = [
    ...results.leftOut.map(({ what, why }) => `- Left out: ${what}: ${why}.`),
    ...results.wrong.map(
      ({ contestant, cell, what }) => `- **Wrong**: \`${contestant}\` in ${cell}: ${what}`,
    ),
    ...results.failed.map(
      ({ contestant, cell, what }) => `- Not measured: \`${contestant}\` in ${cell}: ${what}`,
    ),
  ];
  return lines.join('\n');
}

function picture(charts: readonly Chart[], name: string): string {
  const chart = charts.find((each) => each.name === name);
  return chart ? `![${chart.title}](charts/${name}.svg)` : '';
}

function section(
  book: Book,
  question: QuestionResults,
  number: number,
  charts: readonly Chart[],
): string {
  return [
    `## ${number}. ${question.title}`,
    asked(question.id),
    picture(charts, question.id),
    question.id === 'work' ? picture(charts, 'work-wait') : '',
    tables(book, question),
    `In parentheses: the ratio to \`${question.baseline}\`; below: the lowest and the highest round. ${spread(book, question)}`,
    explanation(book, question.id),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** How far the rounds of one figure lie apart. */
function spread(book: Book, question: QuestionResults): string {
  const spreads = question.cells.flatMap((cell) =>
    question.measures.flatMap(({ name, unit }) =>
      book.ids.flatMap((id) => {
        const figure = unit ? book.figure(question.id, cell.id, name, id) : undefined;
        return figure && figure.median > 0 ? [(figure.max - figure.min) / figure.median] : [];
      }),
    ),
  );
  const rounds =
    Math.max(0, ...question.cells.flatMap((cell) => cell.rounds.map(({ round }) => round))) + 1;
  if (rounds < 2 || spreads.length === 0) return 'One round: nothing is known of the spread.';
  const [typical, most] = [median(spreads), Math.max(...spreads)].map((x) =>
    digits(Math.round(x * 100)),
  );
  return `Between the lowest and the highest of ${rounds} rounds lie ${typical} % of the median in the middle case, ${most} % in the worst.`;
}
