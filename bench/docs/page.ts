/** `docs/tradeoffs.md`: every figure in it comes from one results file. */
import { digits, median, type QuestionResults } from '../results.ts';
import type { Chart } from './charts.ts';
import { choice } from './choice.ts';
import { conclusions, elsewhere } from './conclusions.ts';
import { MARGIN_IN_WORDS } from './contest.ts';
import type { Book } from './figures.ts';
import { ENOUGH_ROUNDS } from './proof.ts';
import { findingOf, type Section } from './section.ts';
import { sections } from './sections/index.ts';
import { tables } from './tables.ts';

const SERVICE =
  'All models here are [the same server](../README.md#the-models), which sends each line back; they differ in who waits, and where. A line stands for a request.';
const READING = [
  '`poll-loop`, `epoll-loop`, `coroutines` and `io-uring` call libc from JavaScript (FFI), to show each system call: [do not deploy them](#what-nobody-should-conclude).',
  'Grey in the pictures below: `pipe` is `node:net` with `socket.pipe(socket)`, `snippet` the same with text in a string, `c-epoll` and `c-io-uring` loops in C. recv(2) is in section 2 of the manual: a system call.',
].join(' ');

/** @param file - the results file's name, without its folder */
export function page(book: Book, charts: readonly Chart[], file: string): string {
  const { results } = book;
  return `${[
    '# What each model costs',
    `${SERVICE} Which model for which job, with the medians of one run:`,
    choice(book),
    picture(charts, 'summary'),
    READING,
    run(book, file),
    ...sections.map((section) => {
      const asked = results.questions.find(({ id }) => id === section.question);
      return asked && asked.cells.length > 0 ? part(book, section, asked, charts) : '';
    }),
    '## What nobody should conclude',
    conclusions,
    '## What to take in your language',
    elsewhere,
  ]
    .filter(Boolean)
    .join('\n\n')}\n`;
}

function part(
  book: Book,
  section: Section,
  asked: QuestionResults,
  charts: readonly Chart[],
): string {
  const { guess, mechanism, caution } = section;
  const setup = [section.setup, section.circumstances?.(book)].filter(Boolean).join(' ');
  return [
    `## ${findingOf(section, book).heading}`,
    setup,
    `**Guess:** ${guess}`,
    picture(charts, section.question),
    mechanism,
    `**But:** ${caution}`,
    details(
      `All figures: ${asked.title}`,
      tables(book, asked),
      `In parentheses: the ratio to \`${asked.baseline}\`; below: the lowest and the highest round. Bold: the best model, and every model within ${MARGIN_IN_WORDS} of it. ${spread(book, asked)}`,
    ),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** Where the figures come from, and what was left out. */
function run(book: Book, file: string): string {
  const { results } = book;
  const { machine, kernel, node, date, commit, dirty, options, took, placement } = results;
  const { rounds, seconds, quick } = options;
  const few =
    rounds < ENOUGH_ROUNDS
      ? ` With fewer than ${ENOUGH_ROUNDS} rounds, a run proves no difference.`
      : '';
  return [
    `A heading claims a difference only if it was the same way in every round, and more than ${MARGIN_IN_WORDS} in the median. CPU time comes first, because a busy load generator does not limit it.${few} [bench/README.md](../bench/README.md) says how it is measured.`,
    details(
      'The run: machine, rounds, and what was left out',
      `One run of \`npm run bench${quick ? ' -- --quick' : ''}\`, ${date.slice(0, 10)}, commit ${commit}${dirty ? ' with changes' : ''}: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${kernel}, Node ${node}; up to ${rounds} rounds of ${seconds} s, ${Math.round(took / 60)} minutes in all. \`npm run bench:docs\` draws this page from [that run's file](../bench/results/${file}), which holds every round. ${placement}`,
      'Every byte of every answer was compared with what was sent. A server that gets one wrong is not timed. All contestants take turns in every round. A ratio is the median of the quotients of each round. "≥" and "≤" mark figures that the load generator limited: the server does at least that well, perhaps better. "~" marks a ratio in which it limited both the server and the baseline.',
      leftOut(results),
    ),
  ].join('\n\n');
}

function leftOut({ leftOut, wrong, failed }: Book['results']): string {
  return [
    ...wrong.map(
      ({ contestant, cell, what }) => `- **Wrong**: \`${contestant}\` in ${cell}: ${what}`,
    ),
    ...failed.map(
      ({ contestant, cell, what }) => `- Not measured: \`${contestant}\` in ${cell}: ${what}`,
    ),
    ...leftOut.map(({ what, why }) => `- Left out: ${what}: ${why}.`),
  ].join('\n');
}

function details(summary: string, ...parts: readonly string[]): string {
  const inner = parts.filter(Boolean).join('\n\n');
  return `<details>\n<summary>${summary}</summary>\n\n${inner}\n\n</details>`;
}

function picture(charts: readonly Chart[], name: string): string {
  const chart = charts.find((each) => each.name === name);
  return chart ? `![${chart.title}](charts/${name}.svg)` : '';
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
