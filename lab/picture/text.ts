/** How wide a text will be, where no browser can be asked. */

/**
 * Widths in thousandths of the size, of DejaVu Sans: the widest of the fonts that a system may put in the
 * place of `system-ui`. What is not here is 620.
 */
const WIDTHS: readonly (readonly [chars: string, width: number])[] = [
  ['iljI|', 285],
  [" \u00a0.,:;!’‘'", 330],
  ['ft()[]-r', 395],
  ['“”csz_vxy', 550],
  ['ABCEFKLPRSTVXYZ', 660],
  ['DGHNOQU', 775],
  ['mMWw⏎%…', 930],
];
const WIDTH = new Map(WIDTHS.flatMap(([chars, width]) => [...chars].map((char) => [char, width])));

/** In pixels; rather too wide than too narrow. */
export function widthOf(text: string, size: number, isBold = false): number {
  let sum = 0;
  for (const char of text) sum += WIDTH.get(char) ?? 620;
  return (sum / 1000) * size * (isBold ? 1.125 : 1);
}

/** The first of several texts that fits; '' when none does. */
export function fitting(
  texts: readonly string[],
  room: number,
  size: number,
  isBold = false,
): string {
  return texts.find((text) => widthOf(text, size, isBold) <= room) ?? '';
}

/** Escapes what HTML and XML take for markup. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A space behind a number, before its unit. */
const BEFORE_UNIT = /(?<=\d) (?=(?:µs|ms|s|seconds?|minutes?|bytes?|kB|MB|GB)\b)/g;

/** The same text, in which no line ends between a number and its unit. */
export function unbroken(text: string): string {
  return text.replace(BEFORE_UNIT, '\u00a0');
}

/** Plain text with `code` in backticks, as HTML. */
export function prose(text: string): string {
  return escapeMarkup(unbroken(text)).replace(/`([^`]+)`/g, '<code>$1</code>');
}
