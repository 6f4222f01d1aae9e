/** The results of a run: every round of every figure, and where and how it was measured. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LeftOut } from './contestants.ts';
import type { Figures, Measure } from './question.ts';

/** One measurement. */
export interface Round {
  readonly contestant: string;
  /** From 0; the contestants take turns in each. */
  readonly round: number;
  readonly figures: Figures;
}

/** The rounds of all contestants in one situation. */
export interface CellResults {
  readonly id: string;
  readonly words: string;
  readonly rounds: readonly Round[];
}

/** The answers to one question. */
export interface QuestionResults {
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly measures: readonly Measure[];
  /** The contestant by whose figures the others' figures are divided. */
  readonly baseline: string;
  readonly cells: readonly CellResults[];
}

/** A contestant whose figures in one cell are left out, and why. */
export interface Wrong {
  readonly contestant: string;
  readonly cell: string;
  readonly what: string;
}

/** A results file. */
export interface Results {
  readonly format: 1;
  /** ISO 8601, when the run began. */
  readonly date: string;
  /** Seconds that it took. */
  readonly took: number;
  readonly commit: string;
  /** Whether the work tree differed from that commit. */
  readonly dirty: boolean;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memory: string };
  readonly kernel: string;
  readonly node: string;
  readonly placement: string;
  readonly options: {
    readonly quick: boolean;
    readonly rounds: number;
    readonly warmUp: number;
    readonly seconds: number;
  };
  readonly contestants: readonly {
    readonly id: string;
    readonly kind: 'model' | 'baseline' | 'command';
    readonly words: string;
  }[];
  readonly leftOut: readonly LeftOut[];
  /** Servers that echoed wrong bytes. */
  readonly wrong: readonly Wrong[];
  /** What could not be measured; whether these servers echo correctly is unknown. */
  readonly failed: readonly Wrong[];
  readonly questions: readonly QuestionResults[];
}

/** @throws Error when the file cannot be read, or is no results of this version */
export function readResults(file: string | URL): Results {
  const name = file instanceof URL ? fileURLToPath(file) : file;
  const results = parsed(name);
  const isOurs = results?.format === 1 && results.contestants && results.questions;
  if (!isOurs) throw new Error(`${name} is not a results file of this version of the bench`);
  return { failed: [], ...results } as Results;
}

function parsed(name: string): Partial<Results> | null {
  try {
    return JSON.parse(readFileSync(name, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Error(`there is no file ${name}`);
    throw new Error(code ? `${name} cannot be read: ${code}` : `${name} is not JSON: ${message}`);
  }
}

/** The summary of all rounds of one figure. */
export interface Summary {
  /** How many. */
  readonly rounds: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The median of `ratiosOfRounds`; undefined without a baseline. */
  readonly ratio: number | undefined;
  /** Whether the generator was the limit in half of the rounds or more; then the server may be better. */
  readonly limited: boolean;
  /** The same for the baseline, and so for the ratio. */
  readonly baselineLimited: boolean;
}

/** If the generator used more than this share of a core, the figure is its limit, not the server's. */
const SATURATED = 0.95;

/**
 * Whether a figure says more about the generator than about the server: either the generator was always busy, or
 * half of a latency or more is its own, because it sent late.
 */
export function isLimited(measure: string, figures: Figures): boolean {
  const { saturation = 0, ownLag = 0, ownLagMedian = 0 } = figures;
  const latency = figures[measure] ?? 0;
  if (measure === 'cpuPerLine') return false; // a server that waits for the generator uses no CPU
  if (saturation >= SATURATED) return true;
  if (measure === 'p50') return ownLagMedian >= latency / 2;
  if (measure === 'p99') return ownLag >= latency / 2;
  return false;
}

/**
 * Two figures that are closer than this, as a share, prove nothing: the rounds of one server differ as much,
 * however many there are.
 */
export const MARGIN = 0.15;

/** Sums up one figure of one contestant in one cell; undefined when there is none. */
export function summarize(
  { rounds }: CellResults,
  contestant: string,
  measure: string,
  baseline: string,
): Summary | undefined {
  const of = (id: string) =>
    rounds.filter((each) => each.contestant === id && measure in each.figures);
  const isMostlyLimited = (list: readonly Round[]) =>
    list.length > 0 &&
    list.filter(({ figures }) => isLimited(measure, figures)).length * 2 >= list.length;
  const mine = of(contestant);
  const base = of(baseline);
  const values = mine.map(({ figures }) => figures[measure] as number);
  if (values.length === 0) return undefined;
  const ratios = ratiosOfRounds({ rounds }, contestant, measure, baseline);
  return {
    rounds: values.length,
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    ratio: ratios.length > 0 ? median(ratios) : undefined,
    limited: isMostlyLimited(mine),
    baselineLimited: isMostlyLimited(base),
  };
}

/** The parts of a figure (see `Figures`), the largest first: the median of all rounds, in which one may be missing. */
export function partsOf(
  { rounds }: CellResults,
  contestant: string,
  measure: string,
): { readonly name: string; readonly median: number }[] {
  const mine = rounds.filter((each) => each.contestant === contestant);
  const names = new Set(mine.flatMap(({ figures }) => Object.keys(figures)));
  return [...names]
    .filter((name) => name.startsWith(`${measure}.`))
    .map((name) => ({
      name: name.slice(measure.length + 1),
      median: median(mine.map(({ figures }) => figures[name] ?? 0)),
    }))
    .sort((a, b) => b.median - a.median);
}

/**
 * A contestant's figure divided by the baseline's, for each round that has both: whatever slows the machine down
 * for a while affects both.
 */
export function ratiosOfRounds(
  { rounds }: Pick<CellResults, 'rounds'>,
  contestant: string,
  measure: string,
  baseline: string,
): number[] {
  const base = new Map(
    rounds
      .filter((each) => each.contestant === baseline)
      .map(({ round, figures }) => [round, figures[measure]]),
  );
  return rounds.flatMap((each) => {
    const [value, divisor] = [each.figures[measure], base.get(each.round)];
    return each.contestant === contestant && value !== undefined && divisor
      ? [value / divisor]
      : [];
  });
}

/**
 * One contestant's figure in one cell, divided by its own in another, for each round that has both: figures of
 * different rounds are minutes apart.
 */
export function quotients(
  above: CellResults,
  below: CellResults,
  contestant: string,
  measure: string,
): number[] {
  return above.rounds.flatMap((mine) => {
    const other = below.rounds.find(
      (each) => each.contestant === contestant && each.round === mine.round,
    );
    const [dividend, divisor] = [mine.figures[measure], other?.figures[measure]];
    if (mine.contestant !== contestant || dividend === undefined || !divisor) return [];
    return [dividend / divisor];
  });
}

/** The middle one, or the mean of the middle two. The list must not be empty. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] as number)) / 2;
}

/** Two or three significant digits, with a comma for thousands. */
export function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  if (value >= 10) return value.toFixed(value % 1 === 0 ? 0 : 1);
  return value.toFixed(value % 1 === 0 ? 0 : 2);
}
