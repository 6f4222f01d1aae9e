/** The live page: buttons and keys for the clients, and a picture that grows. */

import type { Act, Step } from '../../lesson.ts';
import { eventSentence, ms } from '../../picture/sentences.ts';
import { type Story, storyOf } from '../../picture/story.ts';
import { escapeMarkup } from '../../picture/text.ts';
import { Seen } from '../../seen.ts';
import { append, type Trace } from '../../trace.ts';
import type { ServerData } from '../data.ts';
import type { OwnLesson, ServerState, Told } from '../told.ts';
import { Figure, place, type Shown, setText } from './figure.ts';

type Session = Extract<Told, { session: unknown }>['session'];
type Known = Pick<ServerData, 'name' | 'summary' | 'lines'>;

/** So much time is in the picture at first, and the newest so much later. */
const WINDOW = 12_000;
/** When the picture is full, it moves on by so much at once: one that slides all the time cannot be read. */
const MOVE = 4000;
/** What a client's flood offers. */
const FLOOD = 24e6;
/** The lab looks 200 times a second here: a thread that wakes up for a moment is seen to do so for 5 to 10 ms. */
const BLINK = 14;
/** A lesson of one's own begins so many milliseconds before the first act. */
const LEAD = 500;
/** Milliseconds between two drawings. */
const FRAME = 33;

class LivePage {
  readonly #known: readonly Known[];
  readonly #figure = new Figure();
  readonly #traces = new Map<string, Trace>();
  readonly #states = new Map<string, ServerState>();
  #chosen: string[] = [];
  #session: Session | undefined;
  #script: Step[] = [];
  /** Why the lab refused what was asked of it here last. */
  #refusal: string | undefined;
  /** What went wrong in the newest act, by server. */
  #errors = new Map<string, string>();
  /** `performance.now()` when the session began. */
  #zero: number | undefined;
  #endedAt: number | undefined;
  #current = 'A';
  #lines: Record<string, number> = {};
  #drawnAt = 0;
  #isStale = true;
  #title = 'What I did';
  /** What was done last, in words. */
  #act = '';

  constructor(known: readonly Known[]) {
    this.#known = known;
  }

  start(): void {
    this.#drawChooser();
    for (const button of this.#buttons()) {
      button.addEventListener('click', () => {
        this.#choose(button.dataset.who ?? 'A');
        this.#press(button.dataset.who ?? 'A', button.dataset.act ?? '');
      });
    }
    document.addEventListener('keydown', (event) => this.#key(event));
    place('begin').addEventListener('click', () => this.#begin());
    place('again').addEventListener('click', () => this.#playAgain(this.#own()));
    place('link').addEventListener('click', () => this.#copyLink());
    place('save').addEventListener('click', () => this.#save());
    place<HTMLInputElement>('open').addEventListener('change', (event) => this.#openFile(event));
    new ResizeObserver(() => {
      this.#isStale = true;
    }).observe(place('figure'));
    this.#choose('A');
    this.#listen();
    this.#fromAddress();
    const frame = () => {
      this.#frame();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  #buttons(): HTMLButtonElement[] {
    return [...document.querySelectorAll<HTMLButtonElement>('button[data-act]')];
  }

  // --- what the lab tells ---

  #listen(): void {
    const events = new EventSource('events');
    events.addEventListener('message', ({ data }) => this.#hear(JSON.parse(data) as Told));
    events.addEventListener('error', () => {
      this.#say('The lab does not answer. Is it still running?');
      for (const button of this.#buttons()) button.disabled = true;
    });
  }

  #hear(told: Told): void {
    this.#isStale = true;
    if ('session' in told) this.#joined(told.session);
    else if ('trace' in told) this.#traces.set(told.trace.model, told.trace);
    else if ('server' in told) this.#states.set(told.server.name, told.server);
    else if ('began' in told) this.#zero = performance.now();
    else if ('step' in told) {
      this.#script.push(told.step);
      this.#errors.clear();
    } else if ('entries' in told) {
      const trace = this.#traces.get(told.of);
      if (!trace) return;
      for (const entry of told.entries) {
        append(trace, entry);
        if ('event' in entry && entry.event.did === 'error') {
          this.#errors.set(told.of, `${told.of}: ${eventSentence(trace.names, entry.event)}`);
        }
      }
      // The lab's clock is the one that counts; a message may come late, but never early.
      const zero = performance.now() - told.now;
      if (this.#zero === undefined || zero < this.#zero) this.#zero = zero;
    } else {
      this.#endedAt = this.#now();
      if (this.#session) this.#session = { ...this.#session, over: told.over };
    }
    this.#enable();
    this.#tellStatus();
  }

  #joined(session: Session): void {
    this.#session = session;
    this.#refusal = undefined;
    this.#errors.clear();
    this.#traces.clear();
    this.#states.clear();
    for (const state of session.servers) this.#states.set(state.name, state);
    this.#chosen = session.servers.map(({ name }) => name);
    this.#script = [...session.script];
    this.#lines = {};
    this.#zero = session.now === undefined ? undefined : performance.now() - session.now;
    this.#endedAt = session.over === undefined ? undefined : session.now;
    for (const box of place('chooser').querySelectorAll('input')) {
      box.checked = this.#chosen.includes(box.value);
    }
  }

  #now(): number {
    return this.#endedAt ?? (this.#zero === undefined ? 0 : performance.now() - this.#zero);
  }

  #tellStatus(): void {
    const states = [...this.#states.values()];
    const failed = states.filter((state) => state.is === 'failed');
    const starting = states.filter((state) => state.is === 'starting');
    const why = failed.map(({ name, why }) => `${name} did not start: ${why}`).join(' ');
    const over = this.#session?.over;
    const errors = [...this.#errors.values()].join(' ');
    if (this.#refusal) this.#say(this.#refusal);
    else if (over === '') this.#say('The lesson has ended. Begin anew, or play it again.');
    else if (over !== undefined) this.#say(`This session is over: ${over}. Begin anew.`);
    else if (starting.length > 0) {
      this.#say(`Starting ${starting.map(({ name }) => name).join(', ')}…`);
    } else if (this.#zero === undefined) this.#say(`Starting the clients… ${why}`);
    else if (this.#session?.duration !== undefined) this.#say(`Playing. ${why}`);
    else this.#say(`${errors || 'Ready.'} ${why}`);
  }

  #say(text: string): void {
    setText(place('status'), text);
  }

  // --- the clients ---

  /** What a client has done last, as far as the buttons need to know. */
  #client(who: string): { isIn: boolean; isPaused: boolean; hasHalf: boolean } {
    const state = { isIn: false, isPaused: false, hasHalf: false };
    for (const step of this.#script) {
      if (step.who !== who) continue;
      if (step.do === 'connect')
        Object.assign(state, { isIn: true, isPaused: false, hasHalf: false });
      if (step.do === 'end' || step.do === 'reset') state.isIn = false;
      if (step.do === 'pause') state.isPaused = true;
      if (step.do === 'read') state.isPaused = false;
      if (step.do === 'send') state.hasHalf = !step.text.endsWith('\r\n');
    }
    return state;
  }

  #enable(): void {
    const isLive =
      this.#zero !== undefined &&
      this.#session?.over === undefined &&
      this.#session?.duration === undefined;
    for (const button of this.#buttons()) {
      const { who = '', act } = button.dataset;
      const { isIn, isPaused, hasHalf } = this.#client(who);
      const can =
        act === 'connect'
          ? !isIn
          : act === 'rest'
            ? isIn && hasHalf
            : act === 'line' || act === 'half' || act === 'flood'
              ? isIn && !hasHalf
              : isIn;
      button.disabled = !isLive || !can;
      if (act === 'pause') {
        const label = button.querySelector('span');
        if (label) label.textContent = isPaused ? 'Read again' : 'Stop reading';
      }
    }
    for (const id of ['again', 'link', 'save']) {
      place<HTMLButtonElement>(id).disabled = this.#script.length === 0;
    }
  }

  #choose(who: string): void {
    this.#current = who;
    for (const hand of document.querySelectorAll<HTMLElement>('.hand')) {
      hand.classList.toggle('current', hand.dataset.who === who);
    }
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const isText = target.matches('input:not([type=checkbox]), textarea, select');
    if (isText || event.ctrlKey || event.altKey || event.metaKey) return;
    const who = { 1: 'A', 2: 'B', 3: 'C' }[event.key];
    if (who) {
      this.#choose(who);
      return;
    }
    const button = document.querySelector<HTMLButtonElement>(
      `button[data-who="${this.#current}"][data-key="${CSS.escape(event.key.toLowerCase())}"]`,
    );
    if (!button || button.disabled) return;
    event.preventDefault();
    this.#press(this.#current, button.dataset.act ?? '');
  }

  #press(who: string, act: string): void {
    const wish = this.#actOf(who, act);
    if (wish) this.#post('act', { who, ...wish });
  }

  #actOf(who: string, act: string): Act | undefined {
    const next = () => {
      this.#lines[who] = (this.#lines[who] ?? 0) + 1;
      return `${who}${this.#lines[who]}`;
    };
    switch (act) {
      case 'line':
        return { do: 'send', text: `${next()}\r\n` };
      case 'half':
        return { do: 'send', text: `${next()} ha` };
      case 'rest':
        return { do: 'send', text: 'lf\r\n' };
      case 'pause':
        return { do: this.#client(who).isPaused ? 'read' : 'pause' };
      case 'flood':
        return { do: 'flood', bytes: FLOOD };
      case 'connect':
      case 'reset':
      case 'end':
        return { do: act };
      default:
        return undefined;
    }
  }

  async #post(path: string, body: unknown): Promise<boolean> {
    this.#refusal = undefined;
    this.#errors.clear();
    this.#tellStatus();
    const response = await fetch(path, { method: 'POST', body: JSON.stringify(body) }).catch(
      () => undefined,
    );
    if (response?.ok) return true;
    this.#refusal = response
      ? `This was refused: ${await response.text()}.`
      : 'The lab does not answer.';
    this.#tellStatus();
    return false;
  }

  // --- sessions ---

  #drawChooser(): void {
    place('chooser').innerHTML = this.#known
      .map(({ name }) => {
        const text = escapeMarkup(name);
        return `<label><input type="checkbox" value="${text}"> ${text}</label>`;
      })
      .join('');
    place('chooser').addEventListener('change', () => this.#begin());
  }

  get #wanted(): string[] {
    const boxes = place('chooser').querySelectorAll<HTMLInputElement>('input:checked');
    return [...boxes].map(({ value }) => value);
  }

  #begin(): void {
    const cost = place<HTMLSelectElement>('cost').value;
    setText(place('title'), 'You are the clients');
    this.#post('begin', { servers: this.#wanted, ...(cost ? { [cost]: 200 } : {}) });
  }

  #own(): OwnLesson {
    // It begins with what was done first: how long somebody read before is of no interest.
    const idle = Math.max(0, (this.#script[0]?.at ?? 0) - LEAD);
    const script = this.#script.map((step) => ({ ...step, at: step.at - idle }));
    const last = script.at(-1)?.at ?? 0;
    return {
      title: this.#title,
      clients: this.#session?.clients ?? {},
      args: this.#session?.args ?? [],
      script,
      // Until now, but no longer than there is something to see.
      duration: Math.round(Math.min(Math.max(this.#now() - idle, last + 500), last + 3000)),
    };
  }

  #playAgain(own: OwnLesson): Promise<boolean> {
    setText(place('title'), own.title);
    this.#title = own.title;
    scrollTo({ top: 0 });
    return this.#post('begin', { servers: this.#wanted, own });
  }

  #copyLink(): void {
    const bytes = new TextEncoder().encode(JSON.stringify(this.#own()));
    const text = btoa(String.fromCharCode(...bytes));
    const link = `${location.origin}${location.pathname}#own=${encodeURIComponent(text)}`;
    navigator.clipboard.writeText(link).then(
      () =>
        this.#kept('The link is on the clipboard. It works wherever the lab runs on this port.'),
      () => this.#kept(`This page may not write to the clipboard. The link is ${link}`),
    );
  }

  #save(): void {
    const text = JSON.stringify(this.#own(), undefined, 2);
    const anchor = document.createElement('a');
    anchor.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    anchor.download = 'lesson.json';
    anchor.click();
    URL.revokeObjectURL(anchor.href);
    this.#kept('Saved as lesson.json.');
  }

  async #openFile(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (!file) return;
    try {
      const own = JSON.parse(await file.text()) as OwnLesson;
      if (await this.#playAgain(own)) this.#kept(`${file.name} is played.`);
    } catch {
      this.#kept(`${file.name} does not hold a lesson.`);
    }
    input.value = '';
  }

  #kept(text: string): void {
    place('kept').textContent = text;
  }

  /** A link that somebody has kept, or a lesson that is to be played here and now. */
  #fromAddress(): void {
    const address = new URLSearchParams(location.hash.slice(1));
    const own = address.get('own');
    const lesson = address.get('play');
    const servers = address.getAll('show');
    if (own) {
      try {
        const bytes = Uint8Array.from(atob(own), (char) => char.charCodeAt(0));
        const value = JSON.parse(new TextDecoder().decode(bytes)) as OwnLesson;
        setText(place('title'), value.title);
        this.#post('begin', { servers: ['blocking', 'poll-loop'], own: value });
      } catch {
        this.#kept('This link does not hold a lesson.');
      }
    } else if (lesson) {
      setText(place('title'), address.get('title') ?? lesson);
      this.#post('begin', { servers, lesson });
    }
  }

  // --- the picture ---

  #frame(): void {
    const now = performance.now();
    const isMoving = this.#zero !== undefined && this.#endedAt === undefined;
    if (now - this.#drawnAt < FRAME || !(isMoving || this.#isStale)) return;
    this.#drawnAt = now;
    this.#isStale = false;
    this.#draw();
  }

  #draw(): void {
    const now = this.#now();
    const isPlayed = this.#session?.duration;
    const from = isPlayed ? 0 : Math.max(0, Math.ceil((now - WINDOW) / MOVE) * MOVE);
    const to = isPlayed ?? from + WINDOW;
    const shown = this.#chosen.flatMap((name) => this.#shown(name, now) ?? []);
    const story = this.#scriptStory(now);
    // A moment ago: of this very moment nothing is known yet.
    const last = Math.max(0, now - 1);
    this.#figure.draw(story, shown, { from, to }, true);
    this.#figure.hasCursor = shown.length > 0;
    const told = this.#figure.moveTo(last);
    const act = this.#figure.actAt(now);
    if (act !== this.#act) {
      this.#act = act;
      setText(place('now'), act);
      setText(place('told'), told);
    }
  }

  #shown(name: string, now: number): Shown | undefined {
    const trace = this.#traces.get(name);
    if (!trace) return undefined;
    const known = this.#known.find((one) => one.name === name);
    const grown = { ...trace, duration: now };
    const seen = new Seen(grown);
    const waits = Object.keys(trace.names).flatMap((who) => seen.longestWait(who) ?? []);
    const longest = waits.length > 0 ? Math.max(...waits) : undefined;
    return {
      story: storyOf(grown, now, BLINK),
      summary: known?.summary ?? '',
      lines: known?.lines ?? [],
      figure: 'longest wait',
      ...(longest === undefined
        ? {}
        : { number: { text: ms(longest), is: longest < 100 ? 'fine' : 'bad' } }),
    };
  }

  /** What was pressed, as the script on top: the buttons are the same for all servers. */
  #scriptStory(now: number): Story {
    const names = this.#session?.clients ?? {};
    const events = this.#script.map((step) => {
      const { at: t, who } = step;
      if (step.do === 'send') {
        const text = step.text.replace(/\r/g, '\\r').replace(/\n/g, '\\n');
        const lines = step.text.endsWith('\r\n') ? 1 : 0;
        return { t, who, did: step.do, text, bytes: step.text.length, lines };
      }
      if (step.do === 'flood') return { t, who, did: step.do, bytes: step.bytes, lineLength: 0 };
      if (step.do === 'kill' || step.do === 'stop') {
        const signal = step.do === 'kill' ? 'SIGKILL' : 'SIGTERM';
        return { t, who: 'server', did: 'signal', signal } as const;
      }
      return { t, who, did: step.do };
    });
    return {
      model: '',
      duration: now,
      names,
      tasks: [],
      memory: [],
      ends: events.flatMap((event) => (event.did === 'signal' ? [event] : [])),
      clients: Object.entries(names).map(([id, name]) => ({
        ...{ id, name, segments: [], buffers: [] },
        events: events.filter(({ who }) => who === id),
      })),
    };
  }
}

const known = JSON.parse(place('data').textContent ?? '[]') as Known[];
new LivePage(known).start();
