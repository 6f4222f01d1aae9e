/** Charts as SVG text, legible on light and dark pages, drawn by Observable Plot without a browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

// As attributes these hold where no style sheet is understood; the dark ones take over by the sheet.
export const MODEL = '#2563a8';
export const BASELINE = '#8b949e';
export const FAINT = '#d8dee4';
/** What is drawn across a bar. */
export const ACROSS = '#24292f';
const STYLE = `
  svg { color: #1f2328; font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3; }
    [fill="#ffffff"] { fill: #0d1117; }
    [fill="${MODEL}"] { fill: #3f87dd; }
    [stroke="${MODEL}"] { stroke: #3f87dd; }
    [fill="${BASELINE}"] { fill: #848d97; }
    [stroke="${BASELINE}"] { stroke: #848d97; }
    [stroke="${FAINT}"] { stroke: #30363d; }
    [stroke="${ACROSS}"] { stroke: #f0f6fc; }
  }`;

/** Pixels for the names of the rows, and beside the last column. */
const NAMES = 104;
const RIGHT = 12;
const LINE = 16;

/** One of the small charts beside each other. */
export interface Column {
  /** What is shown, and when. */
  readonly heading: readonly [string, string];
}

/** Columns with a row for each contestant: the place for bars or dots. */
export interface Grid {
  readonly columns: readonly Column[];
  readonly rows: readonly string[];
  /** What a line of text each says below. */
  readonly caption: readonly string[];
  readonly title: string;
}

/**
 * Draws marks into a grid. Their data have a `row` and a `column`, its index.
 *
 * @param width - of a column, in pixels
 * @param x - the scale of every column
 */
export function drawGrid(
  { columns, rows, caption, title }: Grid,
  width: number,
  x: Plot.ScaleOptions,
  marks: readonly Plot.Markish[],
): string {
  const below = 24 + caption.length * LINE;
  const headings = columns.map(({ heading: [what, when] }, column) => ({ what, when, column }));
  const atTop = { fx: 'column', frameAnchor: 'top-left', textAnchor: 'start' } as const;
  const svg = draw({
    width: Math.max(620, NAMES + RIGHT + columns.length * width),
    height: 46 + rows.length * 24 + below,
    marginLeft: NAMES,
    marginRight: RIGHT,
    marginTop: 46,
    marginBottom: below,
    x: { axis: null, ...x },
    y: { domain: [...rows], label: null, tickSize: 0, padding: 0.3 },
    fx: { domain: columns.map((_, i) => i), axis: null, padding: 0.06 },
    marks: [
      Plot.text(headings, { ...atTop, dy: -32, text: 'what', fontWeight: 600 }),
      Plot.text(headings, { ...atTop, dy: -17, text: 'when', fillOpacity: 0.75 }),
      ...marks,
      ...caption.map((line, i) =>
        Plot.text([line], {
          fx: () => 0,
          frameAnchor: 'bottom-left',
          text: (d: string) => d,
          dx: 12 - NAMES,
          dy: 24 + (i + 0.5) * LINE,
          textAnchor: 'start',
          fillOpacity: 0.75,
        }),
      ),
    ],
  });
  return finish(svg, title);
}

/** What is used of a DOM element here; the project has no types of a browser. */
interface Drawing {
  readonly innerHTML: string;
  getAttribute(name: string): string | null;
}

export function draw(options: Plot.PlotOptions): Drawing {
  const { document } = parseHTML('<!doctype html><body></body>');
  return Plot.plot({
    ...options,
    document: document as never,
    className: 'chart',
  }) as unknown as Drawing;
}

/** A document of its own: name space, style sheet, ground, and a title for those who cannot see. */
export function finish(svg: Drawing, title: string): string {
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
