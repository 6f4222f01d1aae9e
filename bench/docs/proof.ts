/** What a run proves: a difference must be larger than the margin, and the same way in every round. */
import { MARGIN, median, quotients, ratiosOfRounds } from '../results.ts';
import type { Place } from './contest.ts';
import type { Book, Figure } from './figures.ts';

/** With fewer rounds, "in every round" proves little. */
export const ENOUGH_ROUNDS = 3;

/** Whether one contestant is proven to be better than another at a figure. */
export function isBetter(book: Book, place: Place, a: string, b: string): boolean {
  const { question, cell, measure } = place;
  const found = book.cells(question).find(({ id }) => id === cell);
  const [mine, other] = [a, b].map((id) => book.figure(question, cell, measure, id));
  if (!found || !mine || !other) return false;
  // What the generator limited may be better than its figure.
  if (other.limited) return false;
  const all = ratiosOfRounds(found, a, measure, b);
  return areProven(all, mine.better === 'more' ? 'above' : 'below');
}

/** Whether a contestant's figure is proven to be worse in a cell than in another. */
export function isWorseIn(book: Book, place: Place, of: string, id: string): boolean {
  const { question, cell, measure } = place;
  const [above, below] = [cell, of].map((one) => book.cells(question).find((c) => c.id === one));
  const figure = book.figure(question, cell, measure, id);
  if (!above || !below || !figure || figure.limited) return false;
  return areProven(
    quotients(above, below, id, measure),
    figure.better === 'more' ? 'below' : 'above',
  );
}

/** Whether a contestant's figure is the same in two cells, as far as the margin can tell. */
export function isSteadyIn(book: Book, place: Place, of: string, id: string): boolean {
  const { question, cell, measure } = place;
  const [above, below] = [cell, of].map((one) => book.cells(question).find((c) => c.id === one));
  const all = above && below ? quotients(above, below, id, measure) : [];
  return all.length >= ENOUGH_ROUNDS && Math.abs(median(all) - 1) < MARGIN;
}

/** Whether all rounds of a figure lie within bounds. */
export function isWithin(figure: Figure | undefined, least: number, most: number): boolean {
  if (!figure || figure.rounds < ENOUGH_ROUNDS || figure.limited) return false;
  return figure.min >= least && figure.max <= most;
}

function areProven(quotients: readonly number[], side: 'above' | 'below'): boolean {
  if (quotients.length < ENOUGH_ROUNDS) return false;
  const middle = median(quotients);
  return side === 'above'
    ? middle >= 1 + MARGIN && quotients.every((one) => one > 1)
    : middle <= 1 - MARGIN && quotients.every((one) => one < 1);
}
