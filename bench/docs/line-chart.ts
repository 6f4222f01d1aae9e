/** Lines with their names at their ends. */
import * as Plot from '@observablehq/plot';
import { BASELINE, draw, FAINT, finish, MODEL } from './svg.ts';

export interface Line {
  readonly name: string;
  readonly isModel: boolean;
  /** Whether it is the one to look at. */
  readonly isMain: boolean;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** @param lines - their `y` are shares, 1 being the whole */
export function lineChart(
  lines: readonly Line[],
  xLabel: string,
  yLabel: string,
  title: string,
): string {
  const height = 340;
  const margins = { top: 40, bottom: 44 };
  const points = lines.flatMap(({ points, ...line }) =>
    points.map((point) => ({ ...line, ...point })),
  );
  const most = Math.max(1.2, ...points.map(({ y }) => y));
  const pixels = (height - margins.top - margins.bottom) / most;
  const colour = ({ isModel }: { readonly isModel: boolean }) => (isModel ? MODEL : BASELINE);
  const svg = draw({
    width: 720,
    height,
    marginLeft: 56,
    marginRight: 130,
    marginTop: margins.top,
    marginBottom: margins.bottom,
    x: {
      label: xLabel,
      tickFormat: (d: number) => d.toLocaleString('en-US'),
      labelArrow: 'none',
      labelAnchor: 'center',
      ticks: 5,
    },
    y: { label: yLabel, domain: [0, most], tickFormat: '.0%', labelArrow: 'none', ticks: 5 },
    marks: [
      Plot.gridY({ stroke: FAINT, strokeOpacity: 1 }),
      Plot.ruleY([0], { stroke: BASELINE }),
      Plot.line(points, {
        x: 'x',
        y: 'y',
        z: 'name',
        stroke: colour,
        strokeWidth: (d: Line) => (d.isMain ? 3.5 : 1.5),
      }),
      Plot.dot(points, { x: 'x', y: 'y', r: 2.5, fill: colour }),
      Plot.text(apart(lines, 15 / pixels), {
        x: 'x',
        y: 'y',
        text: 'name',
        dx: 8,
        textAnchor: 'start',
        fontWeight: 600,
        fill: colour,
      }),
    ],
  });
  return finish(svg, title);
}

/** The lines' ends, moved no farther than it takes that their names do not cover each other. */
function apart(lines: readonly Line[], distance: number) {
  const ends = lines
    .flatMap(({ points, ...line }) => {
      const last = points.at(-1);
      return last ? [{ ...line, ...last }] : [];
    })
    .sort((a, b) => a.y - b.y);
  // Those that touch form a stack around their middle; a stack that touches the next one takes it in.
  const stacks: { middle: number; of: typeof ends }[] = [];
  for (const end of ends) {
    let stack = { middle: end.y, of: [end] };
    for (let below = stacks.at(-1); below; below = stacks.at(-1)) {
      const room = ((below.of.length + stack.of.length) / 2) * distance;
      if (stack.middle - below.middle >= room) break;
      stacks.pop();
      const of = [...below.of, ...stack.of];
      stack = { middle: of.reduce((sum, { y }) => sum + y, 0) / of.length, of };
    }
    stacks.push(stack);
  }
  return stacks.flatMap(({ middle, of }) =>
    of.map((end, i) => ({ ...end, y: middle + (i - (of.length - 1) / 2) * distance })),
  );
}
