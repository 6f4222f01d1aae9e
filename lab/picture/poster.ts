/** A picture that stands alone: the script, some servers, and what they do at one moment, as one SVG file. */
import type { Ms } from '../trace.ts';
import { PATTERNS } from './legend.ts';
import { type Scale, x } from './scale.ts';
import { ms, sentencesAt } from './sentences.ts';
import type { Story } from './story.ts';
import { axis, type Drawing, lanes, RIGHT, roomForNames, script, stacked } from './svg.ts';
import { escapeMarkup, unbroken, widthOf } from './text.ts';

export interface PosterModel {
  readonly story: Story;
  readonly number: { readonly text: string; readonly is: 'fine' | 'bad' | 'plain' };
}

export interface PosterOptions {
  readonly title: string;
  /** What the numbers are. */
  readonly figure: string;
  /** The moment that is told in words. */
  readonly t: Ms;
  /** In pixels. */
  readonly width: number;
  /** The style sheet, `picture.css`. */
  readonly style: string;
  /** The picture in a sentence or two, for those who cannot see it. */
  readonly label: string;
}

const PAD = 12;

/** @param models - of one lesson; the script is that of the first */
export function poster(models: readonly PosterModel[], options: PosterOptions): string {
  const [first] = models;
  if (!first) throw new Error('a picture needs a server');
  const { width, t, style, label } = options;
  const left = roomForNames(models.map(({ story }) => story)) + PAD;
  const scale: Scale = { from: 0, to: first.story.duration, left, right: width - RIGHT - PAD };
  const title = heading(options.title, width);
  const top = stacked([title, axis(scale), script(first.story, scale), { height: 8, body: '' }]);
  const drawing = stacked([top, ...models.map((one) => card(one, scale, options))], 8);
  const height = drawing.height + PAD;
  const cursor = cursorLine(scale, t, title.height + 16, top.height);
  return `<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeMarkup(label)}"><style>${style}</style>${PATTERNS}<rect class="ground" width="${width}" height="${height}" rx="8"/>${cursor}${drawing.body}</svg>\n`;
}

/** The moment that is told in words. It is drawn first, so that no label is crossed out. */
function cursorLine(scale: Scale, t: Ms, from: number, to: number): string {
  return `<path class="cursor-line" d="M${x(scale, t)} ${from}V${to}"/>`;
}

function heading(title: string, width: number): Drawing {
  // A bold letter is an eighth wider.
  const lines = wrapped(title, width - 2 * PAD, 20 * 1.125);
  return {
    height: 20 + lines.length * 26,
    body: lines
      .map(
        (line, i) =>
          `<text class="title" x="${PAD}" y="${28 + i * 26}">${escapeMarkup(line)}</text>`,
      )
      .join(''),
  };
}

function card({ story, number }: PosterModel, scale: Scale, options: PosterOptions): Drawing {
  const { width, figure, t } = options;
  const right = width - PAD - 10;
  const label = widthOf(figure, 13) + 8;
  const head: Drawing = {
    height: 34,
    body: `<text class="name" x="${PAD + 10}" y="23">${escapeMarkup(story.model)}</text><text class="figure" x="${right}" y="23" text-anchor="end">${escapeMarkup(figure)}</text><text class="number ${number.is}" x="${right - label}" y="23" text-anchor="end">${escapeMarkup(number.text)}</text>`,
  };
  const telling = [`At ${ms(t)}:`, ...sentencesAt(story, t)].join(' ');
  const words = wrapped(telling, width - 2 * PAD - 20, 13);
  const said: Drawing = {
    height: words.length * 18 + 12,
    body: words
      .map(
        (line, i) =>
          `<text class="said" x="${PAD + 10}" y="${15 + i * 18}">${escapeMarkup(line)}</text>`,
      )
      .join(''),
  };
  const seen = lanes(story, scale);
  const { height, body } = stacked([head, seen, said]);
  const ground = `<rect class="card" x="${PAD}" width="${width - 2 * PAD}" height="${height}" rx="8"/>`;
  const cursor = cursorLine(scale, t, head.height, head.height + seen.height);
  return { height, body: ground + cursor + body };
}

/** Breaks a text into lines. */
function wrapped(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  for (const word of unbroken(text).split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll('\u00a0', ' '));
}
