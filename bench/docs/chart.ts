/** Charts as SVG text, legible on light and dark pages, drawn by Observable Plot without a browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

// As attributes these hold where no style sheet is understood; the dark ones take over by the sheet.
const MODEL = '#2563a8';
const BASELINE = '#8b949e';
const FAINT = '#d8dee4';
const STYLE = `
  svg { color: #1f2328; font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3; }
    [fill="#ffffff"] { fill: #0d1117; }
    [fill="${MODEL}"] { fill: #6cb0f5; }
    [stroke="${MODEL}"] { stroke: #6cb0f5; }
    [fill="${BASELINE}"] { fill: #7d8590; }
    [stroke="${BASELINE}"] { stroke: #7d8590; }
    [stroke="${FAINT}"] { stroke: #30363d; }
  }`;

const NAMES = 104;
const RIGHT = 12;

/** A bar, or why there is none. */
export interface Bar {
  readonly row: string;
  readonly isModel: boolean;
  /** Its length as a share of the longest there could be, 0 to 1; undefined when not measured. */
  readonly share: number | undefined;
  readonly label: string;
  readonly isBest: boolean;
}

export interface Column {
  /** One or two lines. */
  readonly heading: readonly [string, string];
  readonly bars: readonly Bar[];
}

/** Bars in columns, a row for each contestant, every bar with its figure beside it. */
export function barChart(
  columns: readonly Column[],
  rows: readonly string[],
  title: string,
  caption: string,
): string {
  const bars = columns.flatMap(({ bars }, column) => bars.map((bar) => ({ ...bar, column })));
  const headings = columns.flatMap(({ heading }, column) =>
    heading.map((text, line) => ({ text, line, column })),
  );
  const isCrowded = columns.length > 6;
  const there = bars.filter(({ share }) => share !== undefined);
  const label = {
    x: (d: Bar) => d.share ?? 0,
    y: 'row',
    fx: 'column',
    dx: 4,
    text: 'label',
  } as const;
  const svg = draw({
    width: Math.max(560, NAMES + RIGHT + columns.length * (isCrowded ? 108 : 150)),
    height: 84 + rows.length * 24,
    marginLeft: NAMES,
    marginRight: RIGHT,
    marginTop: 46,
    marginBottom: 38,
    // The rest of each column is room for the figures.
    x: { domain: [0, isCrowded ? 2.2 : 1.75], axis: null },
    y: { domain: [...rows], label: null, tickSize: 0, padding: 0.3 },
    fx: { domain: columns.map((_, i) => i), axis: null, padding: 0.06 },
    marks: [
      Plot.text(headings, {
        fx: 'column',
        frameAnchor: 'top-left',
        dy: -32 as number,
        text: (d: { text: string; line: number }) => (d.line === 0 ? d.text : ''),
        textAnchor: 'start',
        fontWeight: 600,
      }),
      Plot.text(headings, {
        fx: 'column',
        frameAnchor: 'top-left',
        dy: -17,
        text: (d: { text: string; line: number }) => (d.line === 1 ? d.text : ''),
        textAnchor: 'start',
        fillOpacity: 0.75,
      }),
      Plot.barX(there, {
        x: 'share',
        y: 'row',
        fx: 'column',
        fill: (d: Bar) => (d.isModel ? MODEL : BASELINE),
      }),
      Plot.ruleX([0], { stroke: BASELINE }),
      Plot.text([caption], {
        fx: () => 0,
        frameAnchor: 'bottom-left',
        text: (d: string) => d,
        dx: 12 - NAMES,
        dy: 28,
        textAnchor: 'start',
        fillOpacity: 0.75,
      }),
      Plot.text(
        bars.filter(({ isBest }) => !isBest),
        { ...label, textAnchor: 'start' },
      ),
      Plot.text(
        bars.filter(({ isBest }) => isBest),
        { ...label, textAnchor: 'start', fontWeight: 700 },
      ),
    ],
  });
  return finish(svg, title);
}

export interface Line {
  readonly name: string;
  readonly isModel: boolean;
  /** Whether it is the one to look at. */
  readonly isMain: boolean;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Lines with their names at their ends. */
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
  const most = Math.max(1.1, ...points.map(({ y }) => y));
  const pixels = (height - margins.top - margins.bottom) / most;
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
        stroke: (d: Line) => (d.isModel ? MODEL : BASELINE),
        strokeWidth: (d: Line) => (d.isMain ? 3.5 : 1.5),
      }),
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        r: 2.5,
        fill: (d: Line) => (d.isModel ? MODEL : BASELINE),
      }),
      Plot.text(apart(lines, 15 / pixels), {
        x: 'x',
        y: 'y',
        text: 'name',
        dx: 8,
        textAnchor: 'start',
        fontWeight: 600,
      }),
    ],
  });
  return finish(svg, title);
}

/** The lines' ends, moved so that their names do not cover each other. */
function apart(lines: readonly Line[], distance: number) {
  const ends = lines
    .flatMap(({ name, isMain, points }) => {
      const last = points.at(-1);
      return last ? [{ name, isMain, x: last.x, y: last.y }] : [];
    })
    .sort((a, b) => a.y - b.y);
  let lowest = 0;
  for (const end of ends) {
    end.y = Math.max(end.y, lowest);
    lowest = end.y + distance;
  }
  return ends;
}

/** What is used of a DOM element here; the project has no types of a browser. */
interface Drawing {
  readonly innerHTML: string;
  getAttribute(name: string): string | null;
}

function draw(options: Plot.PlotOptions): Drawing {
  const { document } = parseHTML('<!doctype html><body></body>');
  return Plot.plot({
    ...options,
    document: document as never,
    className: 'chart',
  }) as unknown as Drawing;
}

/** A document of its own: name space, style sheet, ground, and a title for those who cannot see. */
function finish(svg: Drawing, title: string): string {
  const [width, height] = ['width', 'height'].map((name) => svg.getAttribute(name));
  const inner = svg.innerHTML.replace(/<style>[\s\S]*?<\/style>/, '');
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" fill="currentColor" color="#1f2328" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12" text-anchor="middle">
<title>${escaped}</title>
<style>${STYLE}
</style>
<rect width="100%" height="100%" rx="6" fill="#ffffff"/>
${inner.replaceAll('><', '>\n<')}
</svg>
`;
}
