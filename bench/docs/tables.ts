/** Tables of figures in Markdown. */
import type { Measure } from '../question.ts';
import type { CellResults, QuestionResults } from '../results.ts';
import { figuresAt, leaders, type Place } from './contest.ts';
import { type Book, type Figure, written, writtenRatio } from './figures.ts';

/** One table. With several measures in several cells: one table for each measure. */
export function tables(book: Book, { id: question, cells, measures }: QuestionResults): string {
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

/** One measure in one cell: for each contestant its text, bold for the best, and a second line. */
export function column(
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

/** `188 ms (2.57)`; a rate has no unit here, because the heading has it. */
export function withRatio(figure: Figure): string {
  const value = written(isRate(figure) ? { ...figure, unit: '' } : figure);
  const ratio = figure.unit === '' ? '' : writtenRatio(figure);
  return ratio ? `${value} (${ratio})` : value;
}

/** Lines or megabytes a second. */
export function isRate({ unit }: { readonly unit: string }): boolean {
  return unit.endsWith('/s');
}

/** The lowest and the highest round; undefined if they are equal. */
function range(figure: Figure): string | undefined {
  if (figure.min === figure.max) return undefined;
  const unit = isRate(figure) ? '' : figure.unit;
  const [low = '', high = ''] = [figure.min, figure.max].map((median) =>
    written({ ...figure, median, unit, limited: false }),
  );
  const [number, ofLow] = low.split(' ');
  return `${ofLow === high.split(' ')[1] ? number : low} to ${high}`;
}

/** A row for each contestant; a dash where it was not measured. */
export function table(
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
