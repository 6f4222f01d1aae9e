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
    'Every byte of every answer was compared with what was sent. A server that gets one wrong is not timed. All contestants take turns in every round. **The figure to read is the ratio**, in parentheses: each round\'s figure is divided by the baseline\'s figure in the same round, and the ratio is the median of these. Absolute figures are valid only for that machine at that time. "≥" and "≤" mark figures that the load generator limited: the server does at least that well, perhaps better. ("~" marks a ratio in which it limited both the server and the baseline.) [bench/README.md](../bench/README.md) says how it is measured.',
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

/** How much the rounds of one figure differ. */
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
  if (rounds < 2 || spreads.length === 0)
    return 'There was only one round, so the spread is unknown.';
  const [typical, most] = [median(spreads), Math.max(...spreads)].map((x) =>
    digits(Math.round(x * 100)),
  );
  return `Spread over ${rounds} rounds, from the lowest to the highest: typically ${typical} % of the median, at most ${most} %.`;
}
