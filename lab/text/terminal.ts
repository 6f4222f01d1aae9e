/** Rows on a terminal: in colour where it has some, drawn over where it can, printed once elsewhere. */
import type { WriteStream } from 'node:tty';
import type { Row, Span } from './lanes.ts';

const CLIENT_COLOURS = [34, 35, 32, 33, 36, 31];
const STYLES = { bold: 1, dim: 2, bad: 31 } as const;

/** Whether to use colour: on a terminal, unless NO_COLOR (no-color.org) or a dumb terminal forbids it. */
export function isColoured(stream: WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** A row as text. @param clients - the clients in the order of their colours */
export function render(row: Row, clients: readonly string[], coloured: boolean): string {
  const text = row.map((span) => (coloured ? painted(span, clients) : span.text)).join('');
  return coloured ? text : text.trimEnd();
}

function painted({ text, who, style }: Span, clients: readonly string[]): string {
  const codes: number[] = [];
  if (style) codes.push(STYLES[style]);
  if (who && style !== 'bad') {
    codes.push(CLIENT_COLOURS[clients.indexOf(who) % CLIENT_COLOURS.length] ?? 39);
  }
  return codes.length > 0 ? `\x1b[${codes.join(';')}m${text}\x1b[0m` : text;
}

/** A block of lines that is written over while it grows. */
export class Drawing {
  readonly #stream: WriteStream;
  #height = 0;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** Whether so many lines can be written over: what has scrolled away cannot. */
  canHold(lines: number): boolean {
    return (
      this.#stream.isTTY === true &&
      process.env.TERM !== 'dumb' &&
      lines < (this.#stream.rows ?? 24)
    );
  }

  draw(lines: readonly string[]): void {
    const up = this.#height > 0 ? `\x1b[${this.#height}A` : '';
    this.#stream.write(up + lines.map((line) => `\r${line}\x1b[K\n`).join(''));
    this.#height = lines.length;
  }
}
