/** A lesson's page: guess, see, and look around in what was recorded. */
import { formsOf } from '../../picture/legend.ts';
import { momentsOf, tellingMoment } from '../../picture/moments.ts';
import { withPlan } from '../../picture/plan.ts';
import { ms } from '../../picture/sentences.ts';
import { type Story, storyOf } from '../../picture/story.ts';
import { escapeMarkup, prose } from '../../picture/text.ts';
import type { PageData, ServerData } from '../data.ts';
import { Figure, place, setText } from './figure.ts';

/** Pixels between the margins of a sheet, A4 or Letter. */
const SHEET = 660;

/** Pixels from which on a window has room for what the forms mean. */
const WIDE = 700;

/** The page's data: deflated and in base64, because many recordings are long. */
async function unpack(): Promise<PageData> {
  const text = place('data').textContent ?? '';
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return (await new Response(stream).json()) as PageData;
}

class LessonPage {
  readonly #data: PageData;
  readonly #stories: ReadonlyMap<string, Story>;
  readonly #figure = new Figure();
  /** What was guessed, by server. */
  readonly #guesses = new Map<string, number>();
  #chosen: string[];
  #isRevealed = false;
  #moments: readonly number[] = [0];
  #t = 0;
  #playing = 0;

  constructor(data: PageData) {
    this.#data = data;
    this.#stories = new Map(data.servers.map(({ name, trace }) => [name, storyOf(trace)]));
    const asked = new URLSearchParams(location.hash.slice(1)).get('show')?.split(',') ?? [];
    const known = (names: readonly string[]) => names.filter((name) => this.#stories.has(name));
    this.#chosen = known(asked);
    if (this.#chosen.length === 0) this.#chosen = known(data.shows);
    if (this.#chosen.length === 0) this.#chosen = data.servers.slice(0, 3).map(({ name }) => name);
  }

  start(): void {
    this.#drawChooser();
    this.#drawGuess();
    this.#drawForms();
    this.#draw();
    place('reveal').addEventListener('click', () => this.#reveal());
    place('play').addEventListener('click', () => this.#togglePlay());
    place('back').addEventListener('click', () => this.#step(-1));
    place('on').addEventListener('click', () => this.#step(1));
    const slider = place<HTMLInputElement>('time');
    slider.addEventListener('input', () => this.#moveTo(Number(slider.value)));
    slider.addEventListener('change', () => this.#remember());
    document.addEventListener('keydown', (event) => this.#key(event));
    document.addEventListener('keyup', ({ key }) => {
      if (['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(key)) this.#remember();
    });
    const figure = place('figure');
    figure.addEventListener('pointerdown', (event) => this.#grab(event, figure));
    new ResizeObserver(() => this.#draw()).observe(figure);
    place<HTMLDetailsElement>('forms').open = innerWidth >= WIDE;
    this.#fitPaper();
    const at = new URLSearchParams(location.hash.slice(1)).get('t');
    if (at !== null && /^\d+$/.test(at)) {
      this.#reveal();
      this.#moveTo(Number(at));
    }
  }

  /** Paper has its own width, and nothing on it can be opened. */
  #fitPaper(): void {
    let opened: HTMLDetailsElement[] = [];
    addEventListener('beforeprint', () => {
      opened = [...document.querySelectorAll<HTMLDetailsElement>('main details:not([open])')];
      for (const one of opened) one.open = true;
      this.#figure.paper = SHEET;
      this.#draw();
    });
    addEventListener('afterprint', () => {
      for (const one of opened) one.open = false;
      this.#figure.paper = undefined;
      this.#draw();
    });
  }

  get #servers(): ServerData[] {
    return this.#chosen.flatMap(
      (name) => this.#data.servers.find((one) => one.name === name) ?? [],
    );
  }

  #story(name: string): Story {
    const story = this.#stories.get(name);
    if (!story) throw new Error(`nothing is recorded of ${name}`);
    return story;
  }

  #drawChooser(): void {
    place('chooser').innerHTML = this.#data.servers
      .map(({ name }) => {
        const checked = this.#chosen.includes(name) ? ' checked' : '';
        return `<label><input type="checkbox" value="${escapeMarkup(name)}"${checked}> ${escapeMarkup(name)}</label>`;
      })
      .join('');
    place('chooser').addEventListener('change', () => {
      const boxes = place('chooser').querySelectorAll<HTMLInputElement>('input:checked');
      const names = [...boxes].map(({ value }) => value);
      // Those of the lesson first, in its order, then the others.
      const order = (name: string) => this.#data.shows.indexOf(name) + 1 || 1000;
      this.#chosen = names.sort((a, b) => order(a) - order(b));
      this.#drawGuess();
      this.#drawForms();
      this.#draw();
      this.#remember();
    });
  }

  /** Only forms that these servers' pictures have are explained. */
  #drawForms(): void {
    place('forms').innerHTML = formsOf(this.#chosen.map((name) => this.#story(name)));
  }

  #drawGuess(): void {
    const { choices } = this.#data;
    place('guesses').innerHTML = this.#servers
      .map(({ name, summary, answer }) => {
        const radios = choices.map((choice, i) => {
          const checked = this.#guesses.get(name) === i ? ' checked' : '';
          return `<label><input type="radio" name="guess-${escapeMarkup(name)}" value="${i}"${checked}> ${prose(choice)}</label>`;
        });
        return `<fieldset class="guess" data-server="${escapeMarkup(name)}"><legend>${escapeMarkup(name)}</legend>${this.#isRevealed ? this.#verdict(name, answer) : `<div><p class="summary">${prose(summary)}</p><div class="choices">${radios.join('')}</div></div>`}</fieldset>`;
      })
      .join('');
    for (const input of place('guesses').querySelectorAll('input')) {
      input.addEventListener('change', () => {
        const name = input.closest<HTMLElement>('fieldset')?.dataset.server ?? '';
        this.#guesses.set(name, Number(input.value));
      });
    }
  }

  #verdict(name: string, answer: number | undefined): string {
    const right = answer === undefined ? undefined : this.#data.choices[answer];
    const guess = this.#guesses.get(name);
    if (right === undefined) return '<p class="verdict">the recording does not show it</p>';
    if (guess === undefined) return `<p class="verdict">${prose(right)}</p>`;
    return guess === answer
      ? `<p class="verdict"><span class="right">✓ ${prose(right)}</span></p>`
      : `<p class="verdict">${prose(right)} <span class="wrong">✗ you guessed: ${prose(this.#data.choices[guess] ?? '')}</span></p>`;
  }

  #reveal(): void {
    if (this.#isRevealed) return;
    this.#isRevealed = true;
    const guessed = this.#servers.filter(({ name }) => this.#guesses.has(name));
    const right = guessed.filter(({ name, answer }) => this.#guesses.get(name) === answer);
    place('score').textContent =
      guessed.length > 0 ? `${right.length} of ${guessed.length} right.` : '';
    place<HTMLButtonElement>('reveal').hidden = true;
    for (const element of document.querySelectorAll<HTMLElement>('.after')) element.hidden = false;
    this.#drawGuess();
    this.#draw();
    this.#moveTo(Math.round(tellingMoment(this.#chosen.map((name) => this.#story(name)))));
    // The button is gone; from here on one looks around in the picture.
    place('time').focus({ preventScroll: true });
    place('figure').scrollIntoView();
  }

  #draw(): void {
    const servers = this.#servers;
    const [first] = servers.length > 0 ? servers : this.#data.servers;
    if (!first) return;
    const story = withPlan(this.#story(first.name), this.#data.script);
    const stories = servers.map(({ name }) => this.#story(name));
    const to = Math.max(story.duration, ...stories.map(({ duration }) => duration));
    const shown = servers.map(({ name, summary, number, lines }) => ({
      ...{ story: this.#story(name), summary, number, lines, figure: this.#data.figure },
    }));
    this.#figure.draw(story, this.#isRevealed ? shown : [], { from: 0, to });
    this.#moments = momentsOf(stories);
    const slider = place<HTMLInputElement>('time');
    slider.max = String(Math.floor(to));
    this.#figure.hasCursor = this.#isRevealed;
  }

  #moveTo(t: number): void {
    const slider = place<HTMLInputElement>('time');
    this.#t = Math.min(Math.max(t, 0), Number(slider.max));
    slider.value = String(Math.round(this.#t));
    const told = this.#figure.moveTo(this.#t);
    const act = this.#figure.actAt(this.#t);
    setText(place('clock'), ms(Math.round(this.#t)));
    setText(place('now'), act);
    slider.setAttribute('aria-valuetext', `${ms(Math.round(this.#t))}. ${act}`);
    if (this.#playing === 0) setText(place('told'), told);
  }

  #step(direction: 1 | -1): void {
    this.#stop();
    // The slider holds whole milliseconds: what is nearer than one is where we are.
    const next =
      direction > 0
        ? this.#moments.find((t) => t > this.#t + 0.6)
        : this.#moments.findLast((t) => t < this.#t - 0.6);
    if (next !== undefined) this.#moveTo(next);
    this.#remember();
  }

  #togglePlay(): void {
    if (this.#playing !== 0) {
      this.#stop();
      return;
    }
    const end = Number(place<HTMLInputElement>('time').max);
    const from = this.#t >= end ? 0 : this.#t;
    const since = performance.now();
    // What took two seconds is shown in eight.
    const speed = end / Math.max(8000, end);
    const frame = () => {
      const t = from + (performance.now() - since) * speed;
      this.#moveTo(t);
      if (t >= end) this.#stop();
      else this.#playing = requestAnimationFrame(frame);
    };
    place('play').textContent = 'Pause';
    this.#playing = requestAnimationFrame(frame);
  }

  #stop(): void {
    if (this.#playing === 0) return;
    cancelAnimationFrame(this.#playing);
    this.#playing = 0;
    place('play').textContent = 'Play';
    this.#remember();
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const isText = target.matches('input:not([type=range]), textarea, select');
    if (!this.#isRevealed || isText || event.ctrlKey || event.altKey || event.metaKey) return;
    const { key, shiftKey } = event;
    if (key === 'ArrowRight' && !shiftKey) this.#step(1);
    else if (key === 'ArrowLeft' && !shiftKey) this.#step(-1);
    else if (key === 'ArrowRight') this.#moveTo(this.#t + 10);
    else if (key === 'ArrowLeft') this.#moveTo(this.#t - 10);
    else if (key === 'Home') this.#moveTo(0);
    else if (key === 'End') this.#moveTo(Number.MAX_SAFE_INTEGER);
    else if (key === ' ' && !target.matches('button, a, summary')) this.#togglePlay();
    else return;
    event.preventDefault();
  }

  /** Scrubs with the pointer, while it is held down. */
  #grab(event: PointerEvent, figure: HTMLElement): void {
    const target = event.target as HTMLElement;
    if (!this.#isRevealed || event.button !== 0 || !target.closest('.plot')) return;
    this.#stop();
    const follow = ({ clientX }: PointerEvent) => {
      const t = this.#figure.momentUnder(clientX);
      if (t !== undefined) this.#moveTo(t);
    };
    follow(event);
    figure.setPointerCapture(event.pointerId);
    figure.addEventListener('pointermove', follow);
    const release = () => {
      figure.removeEventListener('pointermove', follow);
      this.#remember();
    };
    figure.addEventListener('pointerup', release, { once: true });
    figure.addEventListener('pointercancel', release, { once: true });
  }

  /** The address leads back to this moment of these models. */
  #remember(): void {
    if (!this.#isRevealed) return;
    const hash = `#show=${this.#chosen.join(',')}&t=${Math.round(this.#t)}`;
    history.replaceState(undefined, '', hash);
  }
}

unpack().then(
  (data) => new LessonPage(data).start(),
  (error) => {
    place('now').textContent = `This page cannot be shown here: ${(error as Error).message}`;
  },
);
