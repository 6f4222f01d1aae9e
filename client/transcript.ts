import { count, escapeShortened } from './escape.ts';

/** One thing that happened: who did it, when, what, and the bytes if there were any. */
export interface TranscriptEntry {
  /** Milliseconds since the transcript began. */
  readonly at: number;
  readonly who: string;
  /** A few words: `sends`, `receives`, `stops reading`, `is reset by the server`. */
  readonly what: string;
  /** How many bytes were sent or received; absent where none were. */
  readonly bytes?: number;
  /** Those bytes, escaped and shortened. */
  readonly payload?: string;
}

/**
 * Who sent what when. Its size is bounded: when more happens than fits, the beginning and the end are kept, and
 * the entries between are counted. Several clients may share one transcript, which then shows in which order
 * they acted.
 */
export class Transcript {
  readonly #began = performance.now();
  readonly #head: TranscriptEntry[] = [];
  readonly #tail: TranscriptEntry[] = [];
  readonly #half: number;
  #omitted = 0;
  readonly #lastAt = new Map<string, number>();

  /** @param most How many entries to keep at most, 2 or more. */
  constructor(most = 200) {
    this.#half = Math.floor(most / 2);
  }

  note(who: string, what: string, bytes?: Uint8Array): void {
    const at = performance.now() - this.#began;
    this.#lastAt.set(what, at);
    const entry = bytes
      ? { at, who, what, bytes: bytes.length, payload: escapeShortened(bytes) }
      : { at, who, what };
    if (this.#head.length < this.#half) {
      this.#head.push(entry);
      return;
    }
    this.#tail.push(entry);
    if (this.#tail.length > this.#half) {
      this.#tail.shift();
      this.#omitted += 1;
    }
  }

  /** Milliseconds since something happened last; Infinity if it never has. */
  sinceLast(what: string): number {
    return performance.now() - this.#began - (this.#lastAt.get(what) ?? -Infinity);
  }

  get entries(): readonly TranscriptEntry[] {
    return [...this.#head, ...this.#tail];
  }

  /** How many entries between the beginning and the end were left out. */
  get omitted(): number {
    return this.#omitted;
  }

  /** One line for each entry, safe to print on a terminal. */
  toString(): string {
    const lines = this.#head.map(asLine);
    if (this.#omitted > 0) lines.push(`           … ${count(this.#omitted)} more …`);
    return [...lines, ...this.#tail.map(asLine)].join('\n');
  }
}

function asLine({ at, who, what, bytes, payload }: TranscriptEntry): string {
  const when = `${at.toFixed(1).padStart(8)} ms`;
  const sizes = bytes === undefined ? '' : ` ${count(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
  return `${when}  ${who} ${what}${sizes}${payload === undefined ? '' : `: ${payload}`}`;
}
