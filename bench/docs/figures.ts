/** Access to a results file, and how its figures are written. */
import { type CellResults, digits, type Results, type Summary, summarize } from '../results.ts';

/** A figure with what is needed to write it. */
export interface Figure extends Summary {
  readonly contestant: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
}

export class Book {
  readonly results: Results;

  constructor(results: Results) {
    this.results = results;
  }

  get ids(): string[] {
    return this.results.contestants.map(({ id }) => id);
  }

  isModel(id: string): boolean {
    return this.results.contestants.some((each) => each.id === id && each.kind === 'model');
  }

  cells(question: string): readonly CellResults[] {
    return this.results.questions.find(({ id }) => id === question)?.cells ?? [];
  }

  hasMeasure(question: string, cell: string, measure: string): boolean {
    return this.ids.some((id) => this.figure(question, cell, measure, id) !== undefined);
  }

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
}

/** A median with its unit; what the generator limited is a bound only. */
export function written(figure: Figure | undefined): string {
  if (!figure) return '–';
  const [value, unit] = scaled(figure);
  const bound = figure.limited ? (figure.better === 'more' ? '≥ ' : '≤ ') : '';
  return `${bound}${digits(value)}${unit ? ` ${unit}` : ''}`;
}

/** As `written`, in the least room. */
export function short(figure: Figure): string {
  const [value, unit] = scaled(figure);
  const bound = figure.limited ? (figure.better === 'more' ? '≥ ' : '≤ ') : '';
  const isLarge = value >= 10_000;
  const number = isLarge ? `${digits(Number((value / 1000).toPrecision(3)))}k` : digits(value);
  return `${bound}${number}${/^(ms|µs|KiB|MiB)$/.test(unit) ? ` ${unit}` : ''}`;
}

/** Microseconds become milliseconds where they are many. */
function scaled({ median, unit }: Figure): [number, string] {
  return unit === 'µs' && median >= 1000 ? [median / 1000, 'ms'] : [median, unit];
}
