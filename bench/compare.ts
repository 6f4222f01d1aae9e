/** `npm run bench -- --compare A.json B.json`: what two runs prove to differ, and what they do not. */

import type { Measure } from './question.ts';
import {
  type CellResults,
  MARGIN,
  median,
  type QuestionResults,
  type Results,
  ratiosOfRounds,
  summarize,
} from './results.ts';
import { layout } from './table.ts';

/** With fewer rounds, two spreads are often apart by chance. */
const ENOUGH_ROUNDS = 3;

/** A figure's ratios to the baseline of its run, one for each round. */
interface Ratios {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
  /** Whether the generator limited one of the two figures: then the ratio is a bound, or less. */
  readonly limited: boolean;
}

/** One figure of one contestant in two runs. */
export interface Difference {
  readonly contestant: string;
  readonly a: Ratios;
  readonly b: Ratios;
  readonly verdict: 'B is better' | 'B is worse' | 'cannot be told';
}

/** The figures of one measure in one situation. */
export interface Section {
  readonly title: string;
  readonly baseline: string;
  readonly rows: readonly Difference[];
}

/**
 * Compares what both runs have measured, as ratios to the same baseline. Absolute figures of two runs are not
 * compared: the machine may have been slower.
 */
export function compare(a: Results, b: Results): Section[] {
  return a.questions.flatMap((one) => {
    const other = b.questions.find(({ id }) => id === one.id);
    if (!other || other.baseline !== one.baseline) return [];
    return one.cells.flatMap((cell) => {
      const same = other.cells.find(({ id }) => id === cell.id);
      return same ? sections(a, one, cell, same) : [];
    });
  });
}

function sections(
  { contestants }: Results,
  { title, measures, baseline }: QuestionResults,
  a: CellResults,
  b: CellResults,
): Section[] {
  return measures
    .filter(({ unit }) => unit !== '')
    .map((measure) => ({
      title: `${title} ${a.words}: ${measure.words}`,
      baseline,
      rows: contestants.flatMap(({ id }) => {
        if (id === baseline) return [];
        const [before, after] = [a, b].map((cell) => ratiosIn(cell, id, measure, baseline));
        if (!before || !after) return [];
        return [{ contestant: id, a: before, b: after, verdict: verdict(before, after, measure) }];
      }),
    }))
    .filter(({ rows }) => rows.length > 0);
}

function ratiosIn(
  cell: CellResults,
  id: string,
  { name }: Measure,
  baseline: string,
): Ratios | undefined {
  const all = ratiosOfRounds(cell, id, name, baseline);
  if (all.length === 0) return undefined;
  const summary = summarize(cell, id, name, baseline);
  return {
    ...{ median: median(all), min: Math.min(...all), max: Math.max(...all) },
    rounds: all.length,
    limited: summary?.limited === true || summary?.baselineLimited === true,
  };
}

/** They differ if their spreads do not overlap, and their medians are further apart than the margin. */
function verdict(a: Ratios, b: Ratios, { better }: Measure): Difference['verdict'] {
  const areApart = a.max < b.min || b.max < a.min;
  const isMuch = Math.abs(b.median / a.median - 1) >= MARGIN;
  const isEnough = Math.min(a.rounds, b.rounds) >= ENOUGH_ROUNDS;
  if (!areApart || !isMuch || !isEnough || a.limited || b.limited) return 'cannot be told';
  return b.median > a.median === (better === 'more') ? 'B is better' : 'B is worse';
}

/** The comparison as text, for the terminal. */
export function comparisonText(a: Results, b: Results): string {
  const all = compare(a, b);
  if (all.length === 0) throw new Error('the two runs have no figure in common');
  const rows = all.flatMap((section) => section.rows);
  const differ = rows.filter(({ verdict }) => verdict !== 'cannot be told').length;
  return [
    `A: ${runInWords(a)}\nB: ${runInWords(b)}`,
    ...warnings(a, b),
    ...all.map(
      ({ title, baseline, rows }) =>
        `${title}\n${layout([
          [`ratio to ${baseline}`, 'A', 'B', ''],
          ...rows.map(({ contestant, a, b, verdict }) => [
            ...[contestant, spreadOf(a), spreadOf(b)],
            verdict === 'cannot be told' ? verdict : `differs: ${verdict}`,
          ]),
        ])}`,
    ),
    `${differ} of ${rows.length} figures differ: the spreads of their rounds (in parentheses) do not overlap, and their medians are at least ${MARGIN * 100} % apart, with ${ENOUGH_ROUNDS} rounds or more in each run, and the load generator limited none of them.`,
  ].join('\n\n');
}

function runInWords({ date, commit, dirty, machine, node, options, kernel }: Results): string {
  const { quick, rounds } = options;
  return `${date.slice(0, 16).replace('T', ' ')}, commit ${commit}${dirty ? ' with changes' : ''}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}${quick ? ' (--quick)' : ''}; ${machine.cpu}, ${machine.cores} cores, ${kernel}, Node ${node}`;
}

function warnings(a: Results, b: Results): string[] {
  const place = ({ machine, kernel, node }: Results) => JSON.stringify([machine, kernel, node]);
  const few = Math.min(a.options.rounds, b.options.rounds) < ENOUGH_ROUNDS;
  return [
    ...(place(a) === place(b)
      ? []
      : ['Two machines, kernels or versions of Node: what differs may be due to these.']),
    ...(few
      ? [`Fewer than ${ENOUGH_ROUNDS} rounds: nothing can be told. --rounds 5 measures more.`]
      : []),
  ];
}

function spreadOf({ median, min, max }: Ratios): string {
  const [middle, low, high] = [median, min, max].map((one) => one.toFixed(2));
  return `${middle} (${low} to ${high})`;
}
