/** Access to a results file, and how its figures are written. */
import {
  type CellResults,
  digits,
  median,
  quotients,
  type Results,
  type Summary,
  summarize,
} from '../results.ts';

/** A figure, and what is needed to write it. */
export interface Figure extends Summary {
  readonly contestant: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
}

/** A run's results, with access to single figures. */
export class Book {
  readonly results: Results;

  constructor(results: Results) {
    this.results = results;
  }

  /** All contestants, in the order of the tables. */
  get ids(): string[] {
    return this.results.contestants.map(({ id }) => id);
  }

  isModel(id: string): boolean {
    return this.results.contestants.some((each) => each.id === id && each.kind === 'model');
  }

  /** The situations of a question; none when it was not asked. */
  cells(question: string): readonly CellResults[] {
    return this.results.questions.find(({ id }) => id === question)?.cells ?? [];
  }

  /** Whether any contestant has this figure. */
  hasMeasure(question: string, cell: string, measure: string): boolean {
    return this.ids.some((id) => this.figure(question, cell, measure, id) !== undefined);
  }

  /** One contestant's figure, its rounds summed up; undefined when it has none. */
  figure(question: string, cell: string, measure: string, contestant: string): Figure | undefined {
    const asked = this.results.questions.find(({ id }) => id === question);
    const found = asked?.cells.find(({ id }) => id === cell);
    const what = asked?.measures.find(({ name }) => name === measure);
    if (!asked || !found || !what) return undefined;
    const summary = summarize(found, contestant, measure, asked.baseline);
    return summary && { ...summary, contestant, unit: what.unit, better: what.better };
  }

  /** One contestant's median as a multiple of another's; undefined when one is missing. */
  ratio(question: string, cell: string, measure: string, a: string, b: string): number | undefined {
    const found = this.cells(question).find(({ id }) => id === cell);
    return found && summarize(found, a, measure, b)?.ratio;
  }

  /**
   * One contestant's figure in a cell, divided by its own figure in another cell (for example: beside 10,000
   * silent clients, and without them): the median of the quotients of all rounds. Undefined when one is missing.
   */
  quotient(
    question: string,
    measure: string,
    cell: string,
    of: string,
    contestant: string,
  ): number | undefined {
    const [above, below] = [cell, of].map((id) =>
      this.cells(question).find((each) => each.id === id),
    );
    const all = above && below ? quotients(above, below, contestant, measure) : [];
    return all.length > 0 ? median(all) : undefined;
  }
}

/** A median with its unit. If the generator limited it, it is written as a bound. */
export function written(figure: Figure | undefined): string {
  if (!figure) return '–';
  const [value, unit] = scaled(figure);
  return `${bound(figure)}${digits(value)}${unit ? ` ${unit}` : ''}`;
}

/** The sign of a bound: a server that the generator limited may be better than its figure. */
function bound({ limited, better }: Figure): string {
  if (!limited) return '';
  return better === 'more' ? '≥ ' : '≤ ';
}

/**
 * A ratio to the baseline. `≥` or `≤` if the generator limited one of the two servers. `~` if it limited both:
 * then the true ratio may be larger or smaller. Empty if there is none.
 */
export function writtenRatio({ ratio, limited, baselineLimited, better }: Figure): string {
  if (ratio === undefined) return '';
  const text = ratio < 0.005 ? ratio.toPrecision(1) : ratio.toFixed(2);
  if (ratio === 1) return text; // the baseline itself
  if (limited === baselineLimited) return limited ? `~ ${text}` : text;
  return `${limited === (better === 'more') ? '≥' : '≤'} ${text}`;
}

/** Turns 1000 µs or more into milliseconds, and 1024 KiB or more into mebibytes. */
export function scaled({ median, unit }: Pick<Figure, 'median' | 'unit'>): [number, string] {
  if (unit === 'µs' && median >= 1000) return [median / 1000, 'ms'];
  if (unit === 'KiB' && median >= 1024) return [median / 1024, 'MiB'];
  return [median, unit];
}
