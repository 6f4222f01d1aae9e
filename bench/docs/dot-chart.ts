/**
 * A dot for each contestant, on a logarithmic scale, with the line from its lowest to its highest round. The best is
 * on top, and better is always to the right: where less is better, the scale runs backwards.
 */
import * as Plot from '@observablehq/plot';
import type { Mark } from './section.ts';
import { ABOUT, BASELINE, draw, FAINT, GROUND, MODEL } from './svg.ts';
import { tickLabel, ticksBetween } from './ticks.ts';

export interface Row {
  readonly name: string;
  readonly isModel: boolean;
  /** Whether the claim is about it. */
  readonly isAbout: boolean;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** The figure in writing. */
  readonly label: string;
  /** The value in the situation with which it is compared. */
  readonly before?: number;
}

export interface DotChart {
  /** The alternative text. */
  readonly title: string;
  readonly what: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly rows: readonly Row[];
  readonly legend?: { readonly before: string; readonly now: string };
  readonly marks?: readonly Mark[];
}

// Pixels.
const WIDTH = 570;
const NAMES = 196;
const FIGURES = 84;
const ABOVE = 60;
const BELOW = 62;
/** Between the first or last row and the scale. */
const INSET = 6;
const ROW = 22;

export function dotChart(chart: DotChart): string {
  const { title, what, unit, better, legend, marks = [] } = chart;
  const isReversed = better === 'less';
  const rows = [...chart.rows].sort((a, b) => (isReversed ? a.value - b.value : b.value - a.value));
  const all = rows.flatMap(({ value, min, max, before = value }) => [value, min, max, before]);
  const positive = [...all, ...marks.map(({ value }) => value)].filter((one) => one > 0);
  const [least, most] = [Math.min(...positive) / 1.15, Math.max(...positive) * 1.15];
  /** A logarithm has no place for nothing and less: these are at the edge, and their label says it. */
  const clip = (one: number) => Math.max(least, one);
  const drawn = rows.map((row) => ({
    ...row,
    value: clip(row.value),
    min: clip(row.min),
    max: clip(row.max),
    before: row.before === undefined ? undefined : clip(row.before),
  }));
  /**
   * Where the figures stand: beside the dot that they belong to, on the side away from the other dot. What is beyond
   * the scale is at its right end, where there is no room for more than a figure.
   */
  const ends = drawn.map(({ value, min, max, before = value, ...row }, i) => {
    const wasBetter = isReversed ? before < value : before > value;
    const beyond = cutOff(rows[i] as Row);
    const isLeft = wasBetter || (isReversed && beyond !== '');
    return { ...row, label: row.label + beyond, isLeft, end: isLeft === isReversed ? max : min };
  });
  const onLeft = ends.some(({ isLeft }) => isLeft) ? FIGURES - 8 : 0;
  const ticks = ticksBetween(least, most, unit, WIDTH - NAMES - FIGURES - onLeft);
  const colour = ({ isModel, isAbout }: { isModel: boolean; isAbout: boolean }) => {
    if (isAbout) return ABOUT;
    return isModel ? MODEL : BASELINE;
  };
  const y = { y: 'name' } as const;
  const line = (text: string, dx: number, dy: number, options: Plot.TextOptions = {}) =>
    Plot.text([text], {
      frameAnchor: 'top-left',
      text: (d: string) => d,
      textAnchor: 'start',
      ...{ dx, dy },
      ...options,
    });
  const names = (isAbout: boolean) =>
    Plot.text(
      drawn.filter((row) => row.isAbout === isAbout),
      {
        ...y,
        frameAnchor: 'left',
        text: 'name',
        textAnchor: 'end',
        dx: -10,
        fill: colour,
        fontWeight: isAbout ? 700 : 400,
      },
    );
  const figures = (isAbout: boolean) =>
    [true, false].map((isLeft) =>
      Plot.text(
        ends.filter((row) => row.isAbout === isAbout && row.isLeft === isLeft),
        {
          ...{ ...y, x: 'end', text: 'label' },
          ...(isLeft ? { dx: -9, textAnchor: 'end' } : { dx: 9, textAnchor: 'start' }),
          fontWeight: isAbout ? 700 : 400,
          // So that the lines of the scale end before a figure.
          ...{ stroke: GROUND, strokeWidth: 5, fill: 'currentColor' },
        },
      ),
    );
  const colours = [
    rows.some(({ isAbout }) => isAbout)
      ? 'Orange: what the heading is about, proven in every round.'
      : '',
    rows.some(({ isModel }) => !isModel) ? 'Grey: baselines.' : '',
  ].join(' ');
  const key = legend ? `○ ${legend.before}   ● ${legend.now}` : '';
  return draw(
    {
      ...{ width: WIDTH, height: ABOVE + rows.length * ROW + 2 * INSET + BELOW },
      ...{ marginLeft: NAMES, marginRight: FIGURES, marginTop: ABOVE, marginBottom: BELOW },
      style: { fontSize: '13px' },
      x: { type: 'log', domain: [least, most], reverse: isReversed, axis: null, insetLeft: onLeft },
      y: {
        domain: rows.map(({ name }) => name),
        axis: null,
        padding: 0,
        insetTop: INSET,
        insetBottom: INSET,
      },
      marks: [
        line(what, 12 - NAMES, -46, { fontWeight: 700, fontSize: 14 }),
        line(key, 12 - NAMES, -24),
        Plot.text(['better →'], {
          frameAnchor: 'top-right',
          text: (d: string) => d,
          textAnchor: 'end',
          dx: FIGURES - 12,
          dy: -24,
          fill: BASELINE,
        }),
        Plot.ruleX(ticks, { stroke: FAINT }),
        Plot.text(ticks, {
          x: (d: number) => d,
          frameAnchor: 'bottom',
          dy: 12,
          text: (d: number) => tickLabel(d, unit),
          fill: BASELINE,
          fontSize: 12,
        }),
        Plot.ruleX(marks, { x: 'value', stroke: BASELINE, strokeDasharray: '4 3' }),
        Plot.text(marks, {
          x: 'value',
          frameAnchor: 'top',
          dy: -12,
          dx: 6,
          text: 'words',
          textAnchor: 'end',
          fill: BASELINE,
        }),
        Plot.ruleY(
          drawn.filter(({ before }) => before !== undefined),
          { ...y, x1: 'before', x2: 'value', stroke: FAINT, strokeWidth: 5 },
        ),
        Plot.ruleY(drawn, { ...y, x1: 'min', x2: 'max', stroke: colour, strokeWidth: 1.5 }),
        Plot.dot(
          drawn.filter(({ before }) => before !== undefined),
          { ...y, x: 'before', r: 4, stroke: colour, strokeWidth: 1.5, fill: GROUND },
        ),
        Plot.dot(drawn, { ...y, x: 'value', r: 5, fill: colour }),
        ...[false, true].flatMap((isAbout) => [names(isAbout), ...figures(isAbout)]),
        line('Dot: median; line: lowest to highest round. Logarithmic scale.', 12 - NAMES, 0, {
          frameAnchor: 'bottom-left',
          dy: 34,
          fill: BASELINE,
          fontSize: 12,
        }),
        line(colours, 12 - NAMES, 0, {
          frameAnchor: 'bottom-left',
          dy: 50,
          fill: BASELINE,
          fontSize: 12,
        }),
      ],
    },
    title,
  );
}

/** What is said of a row that does not fit on a logarithmic scale. */
function cutOff({ value, min }: Row): string {
  if (value <= 0) return ' (off the scale)';
  return min <= 0 ? ' (line cut off)' : '';
}
