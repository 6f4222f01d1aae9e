/** `docs/tradeoffs.md`: every figure in it comes from one results file. */
import { digits, median, type QuestionResults } from '../results.ts';
import { bestOf, type Chart, summaryPicks } from './charts.ts';
import { explanation, winner } from './explanations.ts';
import { type Book, type Figure, written, writtenRatio } from './figures.ts';

/** @param file - the results file's name, without its folder */
export function page(book: Book, charts: readonly Chart[], file: string): string {
  const { results } = book;
  return `${[
    `# What each model costs`,
    introduction(book, file),
    '## Summary',
    picture(charts, 'summary'),
    summaryTable(book),
    'The best model of each column is bold; the baselines below are there to compare with.',
    warnings(book),
    ...results.questions.map((question, i) => section(book, question, i + 1, charts)),
    '## What not to conclude',
    LIMITS,
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
    'Every byte of every answer was compared with what was sent; a server that gets one wrong is not timed. All contestants take turns in every round. **The figure to read is the ratio**, in parentheses: the median, over the rounds, of a figure divided by the baseline\'s in the same round. Absolute figures belong to that machine and that hour. "≥" and "≤" mark what the load generator limited, and not the server. How it is measured: [bench/README.md](../bench/README.md).',
  ].join('\n\n');
}

function warnings({ results }: Book): string {
  const lines = [
    ...results.leftOut.map(({ what, why }) => `- Left out: ${what}: ${why}.`),
    ...results.wrong.map(
      ({ contestant, cell, what }) => `- **Wrong**: \`${contestant}\` in ${cell}: ${what}`,
    ),
  ];
  return lines.join('\n');
}

function picture(charts: readonly Chart[], name: string): string {
  const chart = charts.find((each) => each.name === name);
  return chart ? `![${chart.title}](charts/${name}.svg)` : '';
}

function summaryTable(book: Book): string {
  const picks = summaryPicks(book);
  const columns = picks.map(({ question, cell, measure, heading: [first, second] }) => ({
    heading: `${first}, ${second}`,
    question,
    cell,
    measure,
  }));
  return table(
    columns.map(({ heading }) => heading),
    book.ids,
    columns.map(({ question, cell, measure }) => column(book, question, cell, measure, written)),
  );
}

/** One measure in one cell: a text for each contestant, the best model's bold. */
function column(
  book: Book,
  question: string,
  cell: string,
  measure: string,
  text: (figure: Figure) => string,
): Map<string, string> {
  const figures = book.ids.flatMap((id) => book.figure(question, cell, measure, id) ?? []);
  const isContest = figures.length > 1 && figures.every(({ unit }) => unit !== '');
  const best = isContest ? bestOf(book, figures) : undefined;
  return new Map(
    figures.map((figure) => {
      const written = text(figure);
      return [figure.contestant, figure.contestant === best ? `**${written}**` : written];
    }),
  );
}

function section(
  book: Book,
  question: QuestionResults,
  number: number,
  charts: readonly Chart[],
): string {
  const columns = question.cells.flatMap((cell) =>
    question.measures
      .filter(({ name }) => book.hasMeasure(question.id, cell.id, name))
      .map((measure) => ({ cell, measure })),
  );
  const heading = ({ cell, measure }: (typeof columns)[number]) =>
    question.cells.length === 1
      ? measure.words
      : question.measures.length === 1
        ? `${cell.words} (${measure.unit})`
        : `${cell.words}: ${measure.words}`;
  const ids = book.ids.filter((id) =>
    columns.some(({ cell, measure }) => book.figure(question.id, cell.id, measure.name, id)),
  );
  const bare = question.measures.length === 1;
  const withRatio = (figure: Figure) => {
    const value = written(bare ? { ...figure, unit: '' } : figure);
    const counts = figure.unit === '';
    return figure.ratio === undefined || counts ? value : `${value} (${writtenRatio(figure)})`;
  };
  return [
    `## ${number}. ${question.title}`,
    picture(charts, question.id),
    question.id === 'work' ? picture(charts, 'work-wait') : '',
    table(
      columns.map(heading),
      ids,
      columns.map(({ cell, measure }) =>
        column(book, question.id, cell.id, measure.name, withRatio),
      ),
    ),
    `In parentheses: the ratio to \`${question.baseline}\`. ${spread(book, question)}`,
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

function table(
  headings: readonly string[],
  ids: readonly string[],
  columns: readonly Map<string, string>[],
): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    row(['', ...headings]),
    row(['---', ...headings.map(() => '---:')]),
    ...ids.map((id) => row([`\`${id}\``, ...columns.map((column) => column.get(id) ?? '–')])),
  ].join('\n');
}

const LIMITS = `- **Loopback is no network.** There is no distance, no loss and no card; a system call is most of the cost of a line. Behind a real network the models lie closer together than here.
- **The load shares the machine.** The kernel does part of the receiver's work in the sender's call, and memory bandwidth and caches are common to all cores. Servers that use several cores compete with the generator for them.
- **An echo is the least a server can do.** Whatever a real one does for each request moves its figures towards those of question 5.
- **Differences below 15 % are unproven**, and so is any comparison of absolute figures from two runs: rounds of the same server differ by more than that on a busy machine. The ratio within a round is what holds.
- **The window makes the bulk figure.** How data lumps together depends on how many lines are in flight; another window is another figure.
- **A ping-pong with one client measures how fast a core wakes up**, more than any server.
- **The C server is a yardstick, not a rival**: it has no options, no log and no orderly end.`;

function guide(book: Book): string {
  const name = (id: string | undefined, else_: string) => (id ? `\`${id}\`` : else_);
  const throughput = winner(book, 'echo', 'echo-50', 'linesPerSecond');
  const busy = winner(book, 'work', 'work-1', 'linesPerSecond');
  const waits = winner(book, 'work', 'work-1', 'p50');
  const ratio = book.ratio('echo', 'echo-50', 'linesPerSecond', 'rxjs', 'pipe');
  const operators =
    ratio === undefined
      ? ''
      : ` Its operators left ${ratio.toFixed(2)} of bare \`node:net\` in this run, with 50 clients.`;
  return [
    '- **One client, or one at a time** (a device on a serial line, a test double): `blocking`. There is nothing simpler to get right, and nothing waits that matters.',
    `- **Many clients, short answers, few of them silent**: one loop is enough. Of the models, ${name(throughput, '`poll-loop`')} had the most echoes with 50 clients in this run; choose \`poll-loop\` to see every system call, and a model on \`node:net\` for anything that has to live with the rest of Node.`,
    '- **Many thousands of clients, most of them silent**: anything on epoll(7), that is on `node:net`. `poll-loop` needs no buffer for them, but pays for each at every turn.',
    `- **Lines that cost CPU**: more than one thread has to work. ${name(busy, '`cluster`')} answered the most lines of 1 ms in this run, and in ${name(waits, '`worker-threads`')} others waited the least. \`worker-threads\` keeps shared state in one process; \`cluster\` isolates what fails.`,
    `- **Answers that are composed of streams, with time and cancellation in them**: \`rxjs\`.${operators} What has to be added by hand is backpressure.`,
    '- **Several cores, and clients that have nothing to do with each other**: `cluster`. It is the only one here that spreads the system calls themselves.',
  ].join('\n');
}
