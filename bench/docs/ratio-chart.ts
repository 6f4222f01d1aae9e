/** Ratios to a baseline. Right is always better, both for figures of which more and of which less is better. */
import * as Plot from '@observablehq/plot';
import { BASELINE, drawGrid, type Grid, MODEL } from './svg.ts';

export interface RatioBar {
  readonly row: string;
  readonly column: number;
  readonly isModel: boolean;
  readonly isBest: boolean;
  /** Whether the advantage is more than noise. */
  readonly isProven: boolean;
  readonly label: string;
  /** How many times better than the baseline; below 1 it is worse. Undefined when not measured. */
  readonly advantage: number | undefined;
}

/** The length of the longest bar, as a power of ten: five times better or worse. Longer bars are cut off. */
const LONGEST = 0.7;
/** The room for the figures, which are beneath the heading, in the same unit. */
const FIGURES = 1.1;

export function ratioChart(grid: Grid, bars: readonly RatioBar[]): string {
  const at = { y: 'row', fx: 'column' } as const;
  const there = bars.filter(({ advantage }) => advantage !== undefined);
  const length = ({ advantage = 1 }: RatioBar) =>
    Math.max(-LONGEST, Math.min(LONGEST, Math.log10(advantage)));
  const start = -LONGEST - FIGURES;
  return drawGrid(grid, 112, { domain: [start, LONGEST] }, [
    Plot.barX(there, {
      ...at,
      x1: 0,
      x2: length,
      fill: ({ isModel }) => (isModel ? MODEL : BASELINE),
      fillOpacity: ({ isProven }) => (isProven ? 1 : 0.4),
    }),
    Plot.ruleX([0], { stroke: BASELINE }),
    ...[false, true].map((isBest) =>
      Plot.text(
        bars.filter((bar) => bar.isBest === isBest),
        {
          ...at,
          x: () => start,
          text: 'label',
          textAnchor: 'start',
          fontWeight: isBest ? 700 : 400,
        },
      ),
    ),
  ]);
}
