/** Waiting times on a logarithmic scale: a dot at the median, a line to the 99th percentile. */
import * as Plot from '@observablehq/plot';
import { BASELINE, drawGrid, FAINT, type Grid, MODEL } from './svg.ts';

export interface Wait {
  readonly row: string;
  readonly column: number;
  readonly isModel: boolean;
  readonly isBest: boolean;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly label: string;
}

const TICKS = [100, 1000, 10_000, 100_000];

export function waitChart(grid: Grid, waits: readonly Wait[]): string {
  const at = { y: 'row', fx: 'column' } as const;
  const colour = ({ isModel }: Wait) => (isModel ? MODEL : BASELINE);
  const most = Math.max(...waits.map(({ p50, p99 }) => Math.max(p50, p99)));
  const least = Math.min(50, ...waits.map(({ p50 }) => p50));
  const ticks = TICKS.filter((tick) => tick <= most);
  const x = { type: 'log', domain: [least, most ** 2.1 * least ** -1.1] } as const;
  return drawGrid(grid, 222, x, [
    Plot.ruleX(ticks, { stroke: FAINT }),
    Plot.text(ticks, {
      x: (d: number) => d,
      frameAnchor: 'bottom',
      dy: 9,
      text: (d: number) => (d < 1000 ? `${d} µs` : `${d / 1000} ms`),
      fillOpacity: 0.75,
      fontSize: 10,
    }),
    Plot.ruleY(waits, { ...at, x1: 'p50', x2: 'p99', stroke: colour, strokeWidth: 3 }),
    Plot.dot(waits, { ...at, x: 'p50', r: 4.5, fill: colour }),
    ...[false, true].map((isBest) =>
      Plot.text(
        waits.filter((wait) => wait.isBest === isBest),
        {
          ...at,
          x: ({ p50, p99 }: Wait) => Math.max(p50, p99),
          dx: 8,
          text: 'label',
          textAnchor: 'start',
          fontWeight: isBest ? 700 : 400,
        },
      ),
    ),
  ]);
}
