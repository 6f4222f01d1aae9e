/** The summary: what each model is good at, what it costs, and one figure for each question. */
import { type Pick, summaryPicks } from './charts.ts';
import { MARGIN_IN_WORDS, verdict } from './contest.ts';
import { type Book, writtenRatio } from './figures.ts';
import { column, table, withRatio } from './tables.ts';

/** In what each model is proven to be better or worse than the baseline. */
export function verdicts(book: Book): string {
  const picks: Pick[] = [
    {
      ...{ question: 'echo', cell: 'echo-1', measure: 'linesPerSecond' },
      heading: ['echoes/s', '1 client'],
    },
    ...summaryPicks(book),
    {
      ...{ question: 'idle', cell: 'idle', measure: 'memory' },
      heading: ['memory', 'without clients'],
    },
  ];
  const models = book.ids.filter((id) => book.isModel(id));
  const rows = models.map((id) => {
    const { words } = book.results.contestants.find((each) => each.id === id) ?? { words: '' };
    const [better, worse] = (['better', 'worse'] as const).map((way) =>
      picks
        .filter((pick) => verdict(book, pick, id) === way)
        .map((pick) => withRatioTo(book, pick, id))
        .join('<br>'),
    );
    return `| \`${id}\`<br><sub>${words}</sub> | ${better || '–'} | ${worse || '–'} |`;
  });
  return [
    ['|  | better than the baseline | worse |', '| --- | --- | --- |', ...rows].join('\n'),
    `Only differences of more than ${MARGIN_IN_WORDS}, in the same direction in every round.`,
  ].join('\n\n');
}

/** "memory, a silent client: **0.11**" */
function withRatioTo(book: Book, { question, cell, measure, heading }: Pick, id: string): string {
  const figure = book.figure(question, cell, measure, id);
  return `${heading.join(', ')}: **${figure ? writtenRatio(figure) : ''}**`;
}

/** One figure for each question, a row for each contestant. */
export function figuresTable(book: Book): string {
  const picks = summaryPicks(book);
  return table(
    picks.map(({ heading: [first, second] }) => `${first}, ${second}`),
    book.ids,
    picks.map((pick) => column(book, pick, (figure) => [withRatio(figure)])),
  );
}

/** How to read that table. */
export function summaryNote({ results }: Book): string {
  const lists = new Map<string, string[]>();
  for (const { baseline, title } of results.questions) {
    lists.set(baseline, [...(lists.get(baseline) ?? []), `“${title}”`]);
  }
  const [[most = ''] = [], ...others] = [...lists].sort((a, b) => b[1].length - a[1].length);
  const except = others.map(([id, titles]) => `, in ${titles.join(' and ')} to \`${id}\``);
  return `Bold: the best model, and every model within ${MARGIN_IN_WORDS} of it. In parentheses: the ratio to \`${most}\`${except.join('')}. The baselines are below the models.`;
}
