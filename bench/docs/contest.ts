/** Who did best at a figure, and who cannot be told from that one. */
import type { Book, Figure } from './figures.ts';

/** Quotients nearer to 1 than this, either way, prove nothing: rounds of one server differ as much. */
const MARGIN = 0.15;

/** The margin as it is written on the page. */
export const MARGIN_IN_WORDS = `${MARGIN * 100} %`;

/** Where a figure stands: one measure in one situation. */
export interface Place {
  readonly question: string;
  readonly cell: string;
  readonly measure: string;
}

/** Whether a quotient of two figures proves nothing. */
export function isLevel(quotient: number | undefined): boolean {
  return quotient !== undefined && Math.max(quotient, 1 / quotient) < 1 + MARGIN;
}

/**
 * The model that did best, and all models within the margin of it; a baseline is no competitor. Nobody
 * where fewer than two models were measured, or where a number only counts something.
 */
export function leaders(book: Book, { question, cell, measure }: Place): readonly string[] {
  const models = figuresAt(book, { question, cell, measure }).filter(({ contestant }) =>
    book.isModel(contestant),
  );
  const [best] = models.toSorted(ahead);
  if (!best || models.length < 2 || best.unit === '') return [];
  const toBest = (id: string) => book.ratio(question, cell, measure, id, best.contestant);
  return models
    .map(({ contestant }) => contestant)
    .filter((id) => id === best.contestant || isLevel(toBest(id)));
}

/** Sorts the better figure first: by the ratio to the baseline, where both have one. */
function ahead(a: Figure, b: Figure): number {
  const useRatio = a.ratio !== undefined && b.ratio !== undefined;
  const [x, y] = useRatio ? [a.ratio, b.ratio] : [a.median, b.median];
  return a.better === 'more' ? y - x : x - y;
}

/** The figures of all contestants that have one there. */
export function figuresAt(book: Book, { question, cell, measure }: Place): Figure[] {
  return book.ids.flatMap((id) => book.figure(question, cell, measure, id) ?? []);
}
