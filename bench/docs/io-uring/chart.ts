/** CPU time over io_uring divided by CPU time over epoll: a row for each situation, a dot for each language. */
import * as Plot from '@observablehq/plot';
import { BASELINE, draw, FAINT, GROUND, MODEL } from '../svg.ts';
import { type Comparison, PAIRS } from './comparison.ts';

// Pixels.
const WIDTH = 570;
const NAMES = 236;
const FIGURES = 58;
const ABOVE = 78;
const BELOW = 66;
const ROW = 40;
/** Of the two dots in a row, from its middle. */
const APART = 8;

const COLOURS: Readonly<Record<string, string>> = { C: BASELINE, TypeScript: MODEL };

/** The finding in figures, for readers who cannot see it. */
export function titleOf(all: readonly Comparison[]): string {
  const one = ({ language, ratio }: Comparison) => `${language} ${ratio.toFixed(2)}`;
  const rows = situations(all).map(
    (words) =>
      `${words}: ${all
        .filter((each) => each.words === words)
        .map(one)
        .join(', ')}`,
  );
  return `CPU time for a line over io_uring, as a multiple of that over epoll. ${rows.join('; ')}.`;
}

const situations = (all: readonly Comparison[]) => [...new Set(all.map(({ words }) => words))];

export function chart(all: readonly Comparison[]): string {
  const rows = situations(all);
  const ends = all.flatMap(({ min, max }) => [min, max]);
  const [least, most] = [Math.min(0.9, ...ends) - 0.03, Math.max(1.1, ...ends) + 0.03];
  const step = most - least > 1.2 ? 0.5 : most - least > 0.5 ? 0.2 : 0.1;
  const ticks = Array.from(
    { length: Math.floor(most / step) },
    (_, i) => Math.round((i + 1) * step * 10) / 10,
  ).filter((one) => one >= least && one <= most);
  const line = (text: string, dy: number, options: Plot.TextOptions = {}) =>
    Plot.text([text], {
      ...{ frameAnchor: 'top-left', text: (d: string) => d, textAnchor: 'start' },
      ...{ dx: 12 - NAMES, dy },
      ...options,
    });
  const below = { frameAnchor: 'bottom-left', fill: BASELINE, fontSize: 12 } as const;
  const marks = PAIRS.flatMap(({ language }, i) => {
    const mine = all.filter((each) => each.language === language);
    const colour = COLOURS[language] as string;
    const place = { y: 'words', dy: (2 * i - 1) * APART } as const;
    const dot = (isProven: boolean) =>
      Plot.dot(
        mine.filter(({ proven }) => (proven !== undefined) === isProven),
        {
          ...place,
          x: 'ratio',
          r: 5,
          stroke: colour,
          strokeWidth: 1.5,
          fill: isProven ? colour : GROUND,
        },
      );
    return [
      Plot.ruleY(mine, { ...place, x1: 'min', x2: 'max', stroke: colour, strokeWidth: 1.5 }),
      ...[dot(false), dot(true)],
      Plot.text(mine, {
        ...{ ...place, frameAnchor: 'right', textAnchor: 'end', dx: FIGURES - 12 },
        ...{ text: ({ ratio }: Comparison) => ratio.toFixed(2), fill: colour },
      }),
    ];
  });
  return draw(
    {
      ...{ width: WIDTH, height: ABOVE + rows.length * ROW + BELOW },
      ...{ marginLeft: NAMES, marginRight: FIGURES, marginTop: ABOVE, marginBottom: BELOW },
      style: { fontSize: '13px' },
      x: { domain: [least, most], reverse: true, axis: null },
      y: { domain: rows, axis: null, padding: 0.5 },
      marks: [
        line('CPU time for a line over io_uring(7), divided by that over epoll(7)', -62, {
          ...{ fontWeight: 700, fontSize: 14 },
        }),
        ...PAIRS.map(({ language, epoll, ring }, i) =>
          line(`${language}: ${ring} / ${epoll}`, -40, {
            ...{ dx: 12 - NAMES + i * 190, fill: COLOURS[language] as string },
          }),
        ),
        Plot.text(['io_uring is cheaper →'], {
          ...{ frameAnchor: 'top-right', text: (d: string) => d, textAnchor: 'end' },
          ...{ dx: FIGURES - 12, dy: -18, fill: BASELINE },
        }),
        Plot.ruleX(ticks, { stroke: FAINT }),
        Plot.ruleX([1], { stroke: BASELINE, strokeDasharray: '4 3' }),
        Plot.text(ticks, {
          ...{ x: (d: number) => d, frameAnchor: 'bottom', dy: 12, fill: BASELINE, fontSize: 12 },
          text: (d: number) => (d === 1 ? 'equal' : d.toFixed(1)),
        }),
        ...[0, 1].map((half) =>
          Plot.text(rows, {
            ...{ y: (d: string) => d, frameAnchor: 'left', textAnchor: 'end', dx: -10 },
            ...{
              dy: (2 * half - 1) * APART,
              text: (d: string) => d.split(/, (?!.*, )/)[half],
            },
            ...(half === 1 ? { fill: BASELINE } : {}),
          }),
        ),
        ...marks,
        line('Dot: median of the rounds; line: lowest to highest round.', 0, { ...below, dy: 36 }),
        line('Full dot: a difference that the run proves; empty: none is proven.', 0, {
          ...{ ...below, dy: 52 },
        }),
      ],
    },
    titleOf(all),
  );
}
