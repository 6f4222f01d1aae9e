/** Charts as SVG text, legible on light and dark pages, drawn by Observable Plot without a browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

// As attributes these hold where no style sheet is understood; the dark ones take over by the sheet.
/** What the claim is about. */
export const ABOUT = '#b8400a';
export const MODEL = '#2563a8';
export const BASELINE = '#6e7781';
export const FAINT = '#d8dee4';
export const GROUND = '#ffffff';
/** Grounds of cells: of the best, of what costs twice, and five times as much. */
export const BEST = '#cfe8d5';
export const WORSE = '#fbe3d0';
export const WORST = '#f2b48a';
const DARK: Readonly<Record<string, string>> = {
  [ABOUT]: '#ff9d5c',
  [MODEL]: '#6cb0ff',
  [BASELINE]: '#9aa4ae',
  [FAINT]: '#30363d',
  [GROUND]: '#0d1117',
  [BEST]: '#14432a',
  [WORSE]: '#4a2c14',
  [WORST]: '#8a4312',
};
const STYLE = `
  svg { color: #1f2328; font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3; }
${Object.entries(DARK)
  .flatMap(([light, dark]) =>
    ['fill', 'stroke'].map((part) => `    [${part}="${light}"] { ${part}: ${dark}; }`),
  )
  .join('\n')}
  }`;

/** What is used of a DOM element here; the project has no types of a browser. */
interface Drawing {
  readonly innerHTML: string;
  getAttribute(name: string): string | null;
}

/** Draws with Plot, and makes a document of its own: name space, style sheet, ground, and a title to be read out. */
export function draw(options: Plot.PlotOptions, title: string): string {
  const { document } = parseHTML('<!doctype html><body></body>');
  const svg = Plot.plot({
    ...options,
    document: document as never,
    className: 'chart',
  }) as unknown as Drawing;
  const [width, height] = ['width', 'height'].map((name) => svg.getAttribute(name));
  const inner = svg.innerHTML.replace(/<style>[\s\S]*?<\/style>/, '');
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" fill="currentColor" color="#1f2328" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13" text-anchor="middle">
<title>${escaped}</title>
<style>${STYLE}
</style>
<rect width="100%" height="100%" rx="6" fill="${GROUND}"/>
${inner.replaceAll('><', '>\n<')}
</svg>
`;
}
