/** The last that a program said, in bounds and safe to print. */
import { escapeText } from '../client/client.ts';

const LINES = 12;
/** Characters of a line, before it is escaped. */
const WIDTH = 200;
/** Characters in all. */
const MOST = 1000;

/** The last lines of what was said, each cut where it is too long; empty when there was nothing. */
export function tailOf(said: string): string {
  const lines = said
    .slice(-LINES * 10 * WIDTH)
    .trimEnd()
    .split('\n')
    .slice(-LINES);
  const cut = lines.map((line) => (line.length > WIDTH ? `${line.slice(0, WIDTH)} …` : line));
  while (cut.join('\n').length > MOST) cut.shift();
  return cut.join('\n');
}

/** The same, with nothing in it that a terminal would obey. */
export function lastWords(said: string): string {
  return escapeText(tailOf(said));
}
