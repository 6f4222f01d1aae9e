/** The summary as a table of coloured cells: dark is expensive. */
import * as Plot from '@observablehq/plot';
import type { Summary, SummaryCell } from './summary.ts';
import { BASELINE, BEST, draw, FAINT, GROUND, WORSE, WORST } from './svg.ts';

// Pixels.
const NAMES = 176;
const COLUMN = 74;
const ABOVE = 84;
const BELOW = 56;
const ROW = 24;
const RIGHT = 12;

/** From so many times the best model's cost on. */
const TWICE = 2;
const MUCH = 5;

export function summaryChart({ headline, columns, models, cells }: Summary, title: string): string {
  const headings = columns.map(([first, second], column) => ({ first, second, column }));
  const ground = ({ factor, isBest }: SummaryCell) => {
    if (factor === undefined) return GROUND;
    if (isBest) return BEST;
    // As it is written, so that 2.0 is never on the ground of 1.9.
    const written = Number(factor.toFixed(1));
    if (written < TWICE) return GROUND;
    return written < MUCH ? WORSE : WORST;
  };
  const corner = (text: string, dy: number, options: Plot.TextOptions = {}) =>
    Plot.text([text], {
      frameAnchor: 'top-left',
      text: (d: string) => d,
      textAnchor: 'start',
      dx: 12 - NAMES,
      dy,
      ...options,
    });
  const quiet = { frameAnchor: 'bottom-left', fill: BASELINE, fontSize: 12 } as const;
  return draw(
    {
      width: NAMES + Math.max(4, columns.length) * COLUMN + RIGHT,
      height: ABOVE + models.length * ROW + BELOW,
      ...{ marginLeft: NAMES, marginRight: RIGHT, marginTop: ABOVE, marginBottom: BELOW },
      style: { fontSize: '13px' },
      x: { type: 'band', domain: columns.map((_, i) => i), axis: null, padding: 0.04 },
      y: { type: 'band', domain: [...models], axis: null, padding: 0.08 },
      marks: [
        corner(headline, -66, { fontSize: 14, fontWeight: 700 }),
        corner('times the', -32, { fill: BASELINE, fontSize: 12 }),
        corner('best model’s cost', -16, { fill: BASELINE, fontSize: 12 }),
        Plot.text(headings, {
          x: 'column',
          frameAnchor: 'top',
          dy: -32,
          text: 'first',
          fontSize: 12,
        }),
        Plot.text(headings, {
          x: 'column',
          frameAnchor: 'top',
          dy: -16,
          text: 'second',
          fontSize: 12,
        }),
        Plot.cell(cells, { x: 'column', y: 'model', fill: ground, stroke: FAINT, rx: 3 }),
        ...[false, true].map((isBest) =>
          Plot.text(
            cells.filter((cell) => cell.isBest === isBest),
            { x: 'column', y: 'model', text: 'label', fontWeight: isBest ? 700 : 400 },
          ),
        ),
        Plot.text(models, {
          y: (d: string) => d,
          frameAnchor: 'left',
          text: (d: string) => d,
          textAnchor: 'end',
          dx: -10,
        }),
        corner(
          'Green, bold: the best, and all within 15 % of it. Orange: twice the best model’s',
          0,
          { ...quiet, dy: 22 },
        ),
        corner(
          'cost or more; dark orange: five times or more. –: not measured, or not possible.',
          0,
          { ...quiet, dy: 38 },
        ),
      ],
    },
    title,
  );
}
