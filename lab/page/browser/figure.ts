/**
 * The picture on a page: the script once on top, a card for each server, one cursor through all of them.
 * It draws stories; where they come from is not its business.
 */
import { stateOf, statesAt } from '../../picture/line.ts';
import { momentAt, type Scale, x } from '../../picture/scale.ts';
import { actOf, crowdActs, eventSentence, ms, sentencesAt } from '../../picture/sentences.ts';
import { CROWD, type Story } from '../../picture/story.ts';
import {
  actsOf,
  axis,
  lanes,
  RIGHT,
  roomForNames,
  script,
  stacked,
  svg,
} from '../../picture/svg.ts';
import { escapeMarkup, prose, unbroken } from '../../picture/text.ts';
import type { Event } from '../../trace.ts';
import type { ServerData } from '../data.ts';

/** One card. */
export interface Shown {
  readonly story: Story;
  readonly summary: string;
  readonly number?: ServerData['number'];
  /** What the number is. */
  readonly figure: string;
  readonly lines: ServerData['lines'];
}

/** Which stretch of time is drawn. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** What lasts until the end of a recording is so this many milliseconds before it. */
const A_MOMENT = 0.01;

/** Places of a page, by id. @throws Error when the page lacks one */
export function place<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

export class Figure {
  readonly #root: HTMLElement;
  readonly #script: HTMLElement;
  readonly #cards: HTMLElement;
  readonly #guides: HTMLElement;
  /** One in what stays on top, one through the cards. */
  readonly #cursors: readonly HTMLElement[];
  #shown: readonly Shown[] = [];
  #scriptStory: Story | undefined;
  #scale: Scale = { from: 0, to: 1, left: 0, right: 1 };
  #t = 0;
  #names = '';
  /** By model, the state whose line of source is marked. */
  readonly #marked = new Map<string, string>();
  /** In pixels, while it is printed: what is drawn does not follow the width of a sheet. */
  paper: number | undefined;

  /** Expects `#figure` with `#script`, `#cards`, `#guides` and `.cursor`s in it. */
  constructor() {
    this.#root = place('figure');
    this.#script = place('script');
    this.#cards = place('cards');
    this.#guides = place('guides');
    this.#cursors = [...this.#root.querySelectorAll<HTMLElement>('.cursor')];
    this.#cards.addEventListener('click', ({ target }) => this.#mark(target as Element));
  }

  /** The moment under a place on the screen; undefined left of the plot. */
  momentUnder(clientX: number): number | undefined {
    const at = clientX - this.#root.getBoundingClientRect().left;
    return at < this.#scale.left - 6 ? undefined : momentAt(this.#scale, at);
  }

  /** Whether there is a cursor to be seen. */
  set hasCursor(has: boolean) {
    for (const cursor of this.#cursors) cursor.hidden = !has;
  }

  /**
   * Draws everything.
   *
   * @param of - whose script stands on top
   * @param isGrowing - whether more will come: what is said then has no longest text yet
   */
  draw(of: Story, shown: readonly Shown[], window: Window, isGrowing = false): void {
    this.#shown = shown;
    this.#scriptStory = of;
    const width = this.paper ?? Math.max(280, Math.floor(this.#root.clientWidth));
    const left = roomForNames([of, ...shown.map(({ story }) => story)]);
    this.#scale = { ...window, left, right: width - RIGHT };
    const scale = this.#scale;
    this.#script.innerHTML = svg(stacked([axis(scale), script(of, scale)]), width);
    this.#guides.innerHTML = guides(of, scale);
    // Cards that are there already are kept: what somebody reads, or has in focus, must not be replaced.
    const names = shown.map(({ story }) => story.model).join('\n');
    if (names !== this.#names) {
      this.#names = names;
      this.#cards.innerHTML = shown.map(card).join('');
    }
    this.#cards.querySelectorAll('.model').forEach((element, i) => {
      const one = shown[i];
      if (one) fill(element, one, scale, width);
    });
    this.#showMarks();
    this.moveTo(this.#t);
    if (!isGrowing) this.#keepRoom();
  }

  /** Puts the cursor at a moment, and says what is so then. @returns the same in words, for those who listen */
  moveTo(t: number): string {
    this.#t = t;
    for (const cursor of this.#cursors) cursor.style.left = `${x(this.#scale, t)}px`;
    const told: string[] = [];
    this.#cards.querySelectorAll('.said').forEach((element, i) => {
      const one = this.#shown[i];
      if (!one) return;
      // Recordings end within milliseconds of each other: beyond its own end, a server does what it did last.
      const at = Math.min(t, one.story.duration - A_MOMENT);
      const text = sentencesAt(one.story, at).join(' ');
      told.push(`${one.story.model}: ${text}`);
      setText(element.querySelector('.sentences'), text);
      setLine(element.querySelector('.line'), lineAt(one, at, this.#marked.get(one.story.model)));
    });
    return told.join(' ');
  }

  /** What the clients do at a moment, or have done last. */
  actAt(t: number): string {
    const story = this.#scriptStory;
    const all: Event[] = story
      ? [...story.clients.flatMap(({ events }) => events), ...story.ends]
      : [];
    const events = all.filter((event) => actOf(event) !== '');
    const past = events.filter((event) => event.t <= t + 0.5).sort((a, b) => a.t - b.t);
    const last = past.at(-1);
    if (!story || !last) return '';
    const same = past.filter((event) => last.t - event.t < 8);
    const sentences =
      story.clients.length > CROWD
        ? crowdSentence(story.clients.length, past)
        : same.map((event) => eventSentence(story.names, event)).join(' ');
    return `${ms(Math.round(last.t))}: ${sentences}`;
  }

  /** A click on a line of source marks, in the same server's lanes, when that was so; a second one unmarks. */
  #mark(target: Element): void {
    const button = target.closest<HTMLElement>('.line button');
    const model = button?.closest('.model')?.getAttribute('aria-label');
    const when = button?.dataset.when;
    if (!model || !when) return;
    if (this.#marked.get(model) === when) this.#marked.delete(model);
    else this.#marked.set(model, when);
    this.#showMarks();
    this.moveTo(this.#t);
  }

  #showMarks(): void {
    this.#cards.querySelectorAll('.model').forEach((element, i) => {
      const story = this.#shown[i]?.story;
      const when = story && this.#marked.get(story.model);
      for (const bar of element.querySelectorAll<SVGElement>('[data-at]')) {
        bar.classList.toggle('at', bar.dataset.at === when);
      }
      setText(element.querySelector('.times'), story && when ? timesAt(story, when) : '');
    });
  }

  /** The longest of what a card will say takes so much room from the beginning: nothing jumps. */
  #keepRoom(): void {
    const said = [...this.#cards.querySelectorAll<HTMLElement>('.sentences')];
    const texts = said.map((_, i) => {
      const story = this.#shown[i]?.story;
      const moments = story ? Array.from({ length: 60 }, (_, n) => (n / 60) * story.duration) : [];
      const all = story ? moments.map((t) => sentencesAt(story, t).join(' ')) : [];
      return all.reduce((longest, text) => (text.length > longest.length ? text : longest), '');
    });
    const before = said.map((element) => element.textContent);
    for (const [i, element] of said.entries()) {
      element.style.minHeight = '';
      setText(element, texts[i] ?? '');
    }
    const heights = said.map((element) => element.offsetHeight);
    for (const [i, element] of said.entries()) {
      element.textContent = before[i] ?? '';
      element.style.minHeight = `${heights[i]}px`;
    }
    for (const [i, element] of [...this.#cards.querySelectorAll<HTMLElement>('.line')].entries()) {
      const [now, lines] = [element.innerHTML, this.#shown[i]?.lines ?? []];
      element.style.minHeight = '';
      const all = lines.map((line) => {
        element.innerHTML = lineOf(line);
        return element.offsetHeight;
      });
      element.innerHTML = now;
      element.style.minHeight = `${Math.max(0, ...all)}px`;
    }
  }
}

/** What a crowd has begun last: how many of it so far. */
function crowdSentence(size: number, past: readonly Event[]): string {
  const last = crowdActs(past, Number.POSITIVE_INFINITY).at(-1);
  return last ? `${last.n} of ${size} clients ${last.what}.` : '';
}

/** A card without what changes. */
function card({ story, summary }: Shown): string {
  const name = escapeMarkup(story.model);
  return `<section class="model" aria-label="${name}">
    <header><h2>${name}</h2><p class="summary">${prose(summary)}</p><p class="number"><b></b> <span></span></p></header>
    <div class="plot lanes"></div>
    <div class="said"><p class="sentences"></p><p class="line"></p><p class="times" role="status"></p></div>
  </section>`;
}

function fill(element: Element, one: Shown, scale: Scale, width: number): void {
  const { story, number, figure } = one;
  const plot = element.querySelector('.lanes');
  if (plot) plot.innerHTML = svg(lanes(story, scale), width);
  const value = element.querySelector('.number');
  if (value) value.className = `number ${number?.is ?? 'plain'}`;
  setText(element.querySelector('.number b'), number?.text ?? '');
  setText(element.querySelector('.number span'), number ? figure : '');
}

/** What is there already is left alone, so that it can be selected and is not read aloud again. */
export function setText(element: Element | null, text: string): void {
  const whole = unbroken(text);
  if (element && element.textContent !== whole) element.textContent = whole;
}

/** How long threads did what a line of source, and the words beside it, tell of. */
function timesAt({ tasks }: Story, when: string): string {
  const spansOf = tasks.map(({ segments }) => segments.filter((one) => stateOf(one) === when));
  const whole = ms(spansOf.flat().reduce((sum, { from, to }) => sum + to - from, 0));
  const isOfSeveral = spansOf.filter(({ length }) => length > 0).length > 1;
  return `Marked above: all the time in which this was so, ${whole}${isOfSeveral ? ' over all threads' : ''}.`;
}

/** What was put into places of lines; what a browser makes of HTML reads differently. */
const drawnLines = new WeakMap<Element, string>();

/** Leaves the line alone while it is the same: somebody may be about to click on it. */
function setLine(element: Element | null, html: string): void {
  if (!element || drawnLines.get(element) === html) return;
  const hadFocus = element.contains(document.activeElement);
  drawnLines.set(element, html);
  element.innerHTML = html;
  if (hadFocus) element.querySelector('button')?.focus({ preventScroll: true });
}

/** The line of source behind what the server does. */
function lineAt({ story, lines }: Shown, t: number, marked: string | undefined): string {
  for (const state of statesAt(story, t)) {
    const found = lines.find(({ when }) => when === state);
    if (found) return lineOf(found, marked);
  }
  return '&nbsp;';
}

function lineOf(
  { when, code, file, number, shows }: ServerData['lines'][number],
  marked?: string,
): string {
  return `<button type="button" data-when="${escapeMarkup(when)}" aria-pressed="${when === marked}" title="Mark when this was so"><code>${escapeMarkup(code)}</code></button> ${prose(`${file}:${number}. ${shows}`)}`;
}

/** Dotted lines from what clients do, down through every server. */
function guides(story: Story, scale: Scale): string {
  return actsOf(story, scale)
    .map(({ t, colour }) => {
      const at = x(scale, t);
      return `<line class="${colour}" x1="${at}" x2="${at}" y1="34" y2="100%"/>`;
    })
    .join('');
}
