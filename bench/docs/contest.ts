/** Which contestant did best at a figure, and which differ too little from it to tell. */
import { MARGIN } from '../results.ts';
import type { Book, Figure } from './figures.ts';

/** The margin as it is written on the page. */
export const MARGIN_IN_WORDS = `${MARGIN * 100} %`;

/** Which figure: one measure in one situation. */
export interface Place {
  readonly question: string;
  readonly cell: string;
  readonly measure: string;
}

/** Whether a quotient of two figures proves nothing. */
export function isLevel(quotient: number | undefined): boolean {
  return quotient !== undefined && Math.abs(quotient - 1) < MARGIN;
}

/**
 * The model that did best, by the ratio to the baseline, and all models within the margin of it. Baselines do not
 * count. None if fewer than two models were measured, or if the measure has no unit.
 */
export function leaders(book: Book, place: Place): readonly string[] {
  const models = figuresAt(book, place).filter(({ contestant }) => book.isModel(contestant));
  const [first] = models;
  if (!first || models.length < 2 || first.unit === '') return [];
  const haveRatios = models.every(({ ratio }) => ratio !== undefined);
  const value = ({ ratio, median }: Figure) => (haveRatios && ratio) || median;
  const all = models.map(value);
  const best = first.better === 'more' ? Math.max(...all) : Math.min(...all);
  return models.filter((one) => isLevel(value(one) / best)).map(({ contestant }) => contestant);
}

/** The figures of all contestants that were measured there. */
export function figuresAt(book: Book, { question, cell, measure }: Place): Figure[] {
  return book.ids.flatMap((id) => book.figure(question, cell, measure, id) ?? []);
}
