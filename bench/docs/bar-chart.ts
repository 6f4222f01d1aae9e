/** Bars from zero, each with its range and its figure beside it. */
import * as Plot from '@observablehq/plot';
import { ACROSS, BASELINE, drawGrid, type Grid, MODEL } from './svg.ts';

/** A bar, or the place of one that was not measured. */
export interface Bar {
  readonly row: string;
  readonly column: number;
  readonly isModel: boolean;
  readonly isBest: boolean;
  readonly label: string;
  /** As shares of the longest bar, 0 to 1; undefined when not measured. */
  readonly share?: { readonly median: number; readonly min: number; readonly max: number };
}

export function barChart(grid: Grid, bars: readonly Bar[]): string {
  const there = bars.flatMap(({ share, ...bar }) => (share ? [{ ...bar, ...share }] : []));
  const at = { y: 'row', fx: 'column' } as const;
  // The rest of each column is room for the figures.
  const x = { domain: [0, 1.7] };
  return drawGrid(grid, 150, x, [
    Plot.barX(there, { ...at, x: 'median', fill: ({ isModel }) => (isModel ? MODEL : BASELINE) }),
    Plot.ruleY(there, { ...at, x1: 'min', x2: 'max', stroke: ACROSS, strokeWidth: 1.5 }),
    Plot.ruleX([0], { stroke: BASELINE }),
    ...[false, true].map((isBest) =>
      Plot.text(
        bars.filter((bar) => bar.isBest === isBest),
        {
          ...at,
          x: ({ share }: Bar) => share?.max ?? 0,
          dx: 5,
          text: 'label',
          textAnchor: 'start',
          fontWeight: isBest ? 700 : 400,
        },
      ),
    ),
  ]);
}
