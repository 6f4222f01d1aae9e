/** `docs/tradeoffs.md`: every figure in it comes from one results file. */
import type { Measure } from '../question.ts';
import { type CellResults, digits, median, type QuestionResults } from '../results.ts';
import { type Chart, summaryPicks } from './charts.ts';
import { figuresAt, isLevel, leaders, MARGIN_IN_WORDS, type Place } from './contest.ts';
import { explanation } from './explanations.ts';
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

function summaryTable(book: Book): string {
  const picks = summaryPicks(book);
  return table(
    picks.map(({ heading: [first, second] }) => `${first}, ${second}`),
    book.ids,
    picks.map((pick) => column(book, pick, (figure) => [withRatio(figure)])),
  );
}

function summaryNote({ results }: Book): string {
  const lists = new Map<string, string[]>();
  for (const { baseline, title } of results.questions) {
    lists.set(baseline, [...(lists.get(baseline) ?? []), `“${title}”`]);
  }
  const [[most = ''] = [], ...others] = [...lists].sort((a, b) => b[1].length - a[1].length);
  const except = others.map(([id, titles]) => `, in ${titles.join(' and ')} to \`${id}\``);
  return `Bold: the best model, and every model within ${MARGIN_IN_WORDS} of it. In parentheses: the ratio to \`${most}\`${except.join('')}. The baselines below the models are there to compare with.`;
}

/** One measure in one cell: for each contestant its text, in which the best stand bold, and a second line. */
function column(
  book: Book,
  place: Place,
  texts: (figure: Figure) => readonly [string, (string | undefined)?],
): Map<string, string> {
  const best = leaders(book, place);
  return new Map(
    figuresAt(book, place).map((figure) => {
      const [first, second] = texts(figure);
      const strong = best.includes(figure.contestant) ? `**${first}**` : first;
      return [figure.contestant, second ? `${strong}<br><sub>${second}</sub>` : strong];
    }),
  );
}

/** `188 ms (2.57)`, but a rate without its unit, which is in the heading. */
function withRatio(figure: Figure): string {
  const value = written(isRate(figure) ? { ...figure, unit: '' } : figure);
  const ratio = figure.unit === '' ? '' : writtenRatio(figure);
  return ratio ? `${value} (${ratio})` : value;
}

function isRate({ unit }: { readonly unit: string }): boolean {
  return unit.endsWith('/s');
}

/** The lowest and the highest round; nothing when there was one, or all were the same. */
function range(figure: Figure): string | undefined {
  if (figure.min === figure.max) return undefined;
  const unit = isRate(figure) ? '' : figure.unit;
  const [low = '', high = ''] = [figure.min, figure.max].map((median) =>
    written({ ...figure, median, unit, limited: false }),
  );
  const [number, ofLow] = low.split(' ');
  return `${ofLow === high.split(' ')[1] ? number : low} to ${high}`;
}

function section(
  book: Book,
  question: QuestionResults,
  number: number,
  charts: readonly Chart[],
): string {
  return [
    `## ${number}. ${question.title}`,
    picture(charts, question.id),
    question.id === 'work' ? picture(charts, 'work-wait') : '',
    tables(book, question),
    `In parentheses: the ratio to \`${question.baseline}\`; below: the lowest and the highest round. ${spread(book, question)}`,
    explanation(book, question.id),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** One table; with several measures in several cells, one for each measure. */
function tables(book: Book, { id: question, cells, measures }: QuestionResults): string {
  const areMany = cells.length > 1 && measures.length > 1;
  const of = (some: readonly Measure[]) => {
    const columns = cells.flatMap((cell) =>
      some.map((measure) => ({
        heading: headingOf(cell, measure, cells.length > 1),
        place: { question, cell: cell.id, measure: measure.name },
      })),
    );
    const asked = columns.filter(({ place }) => figuresAt(book, place).length > 0);
    return table(
      asked.map(({ heading }) => heading),
      book.ids.filter((id) =>
        asked.some(({ place: { cell, measure } }) => book.figure(question, cell, measure, id)),
      ),
      asked.map(({ place }) => column(book, place, (figure) => [withRatio(figure), range(figure)])),
    );
  };
  if (!areMany) return of(measures);
  return measures.map((measure) => `${sentence(measure.words)}:\n\n${of([measure])}`).join('\n\n');
}

function headingOf({ words }: CellResults, measure: Measure, areMany: boolean): string {
  if (isRate(measure)) return `${words} (${measure.unit})`;
  return areMany ? words : measure.words;
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
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

/** What stands in any run, and what its own rounds say about it. */
function limits(book: Book): string {
  const work = book.results.questions.find(({ id }) => id === 'work')?.title;
  return [
    '- **Loopback is no network.** There is no distance, no loss and no card. What a network adds, it adds to every model alike, and the differences between them weigh less.',
    "- **The load shares the machine.** The kernel does part of the receiver's work in the sender's call, and memory bandwidth and caches are common to all cores. Servers that use several cores compete with the generator for them.",
    `- **An echo is the least a server can do.** Whatever a real one does for each request is CPU time${work ? `, and moves its figures towards those of “${work}”` : ''}.`,
    `- **Ratios within ${MARGIN_IN_WORDS} of 1 are unproven**, and so is any comparison of absolute figures from two runs, or of two moments of one. The ratio within a round is what holds.`,
    '- **The window makes the bulk figure.** How data lumps together depends on how many lines are in flight; another window is another figure.',
    '- **With one client everybody waits in turn**, so how fast a core wakes up is part of the figure.',
    '- **The C server is a yardstick, not a rival**: it has no options, no log and no orderly end.',
  ].join('\n');
}

function guide(book: Book): string {
  const ahead = (place: Place, did: string) => {
    const best = leaders(book, place).map((id) => `\`${id}\``);
    if (best.length === 0) return '';
    const together = best.length > 1 ? `, less than ${MARGIN_IN_WORDS} apart` : '';
    return ` In this run ${best.join(' and ')} ${did}${together}.`;
  };
  const echoes = { question: 'echo', cell: 'echo-50', measure: 'linesPerSecond' };
  const lines = { question: 'work', cell: 'work-1', measure: 'linesPerSecond' };
  return [
    '- **One client, or one at a time** (a device on a serial line, a test double): `blocking`. There is nothing simpler to get right, and nothing waits that matters.',
    `- **Many clients, short answers, few of them silent**: one loop is enough; \`poll-loop\` to see every system call, a model on \`node:net\` for anything that has to live with the rest of Node.${ahead(echoes, 'had the most echoes with 50 clients')}`,
    '- **Many thousands of clients, most of them silent**: anything on epoll(7), that is on `node:net`. `poll-loop` needs no buffer for them, but pays for each at every turn.',
    `- **Lines that cost CPU**: more than one thread has to work. \`worker-threads\` keeps shared state in one process; \`cluster\` isolates what fails.${ahead(lines, 'answered the most lines of 1 ms')}${ahead({ ...lines, measure: 'p50' }, 'let others wait the least')}`,
    `- **Answers that are composed of streams, with time and cancellation in them**: \`rxjs\`. What has to be added by hand is backpressure.${operators(book)}`,
    '- **Several cores, and clients that have nothing to do with each other**: `cluster`. It is the only one here that spreads the system calls themselves.',
  ].join('\n');
}

/** What is left of the throughput when operators stand between the bytes. */
function operators(book: Book): string {
  const ratio = book.ratio('echo', 'echo-50', 'linesPerSecond', 'rxjs', 'pipe');
  if (ratio === undefined) return '';
  const did = isLevel(ratio) ? 'level with' : `at ${ratio.toFixed(2)} of`;
  return ` In this run, with 50 clients, it was ${did} bare \`node:net\`${isLevel(ratio) ? ` (${ratio.toFixed(2)})` : ''}.`;
}
