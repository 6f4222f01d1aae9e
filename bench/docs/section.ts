/** What a section of the page is: one question, one claim, one picture. */
import type { Book, Figure } from './figures.ts';

/** What a run has shown. */
export interface Finding {
  /** The claim, as a heading: one sentence without its full stop. */
  readonly heading: string;
  /** The contestants that it is about. */
  readonly about: readonly string[];
}

/** A figure that no server has, but that the picture names. */
export interface Mark {
  readonly value: number;
  readonly words: string;
}

/** What the picture of a section shows: one figure of each contestant. */
export interface View {
  /** What is drawn, and in which situation. */
  readonly what: string;
  readonly figures: readonly Figure[];
  /** The same contestants in another situation, to compare with. */
  readonly before?: readonly Figure[];
  /** The two situations, in a word or two. */
  readonly legend?: { readonly before: string; readonly now: string };
  /** Figures that the reader should know, to compare with: what an ideal server would do. */
  readonly marks?: readonly Mark[];
}

/** All texts are Markdown, and true in any run: what may differ from run to run is a claim. */
export interface Section {
  /** Its id in the results. */
  readonly question: string;
  /** The heading when the run supports none of the claims: what it is about. */
  readonly topic: string;
  /** What every server had to do. */
  readonly setup: string;
  /** What else was so in this run. */
  circumstances?(book: Book): string;
  /** For the reader, before the picture. */
  readonly guess: string;
  /** In three sentences: system calls, copies, wake-ups. */
  readonly mechanism: string;
  /** What not to conclude. */
  readonly caution: string;
  /** The first that a run supports is the heading. Each returns undefined when the run does not support it. */
  readonly claims: readonly ((book: Book) => Finding | undefined)[];
  /** Undefined when the run has not measured it. */
  view(book: Book): View | undefined;
}

/** The claim that a run supports, or else a heading that claims nothing. */
export function findingOf({ claims, topic }: Section, book: Book): Finding {
  for (const claim of claims) {
    const found = claim(book);
    if (found) return found;
  }
  return { heading: `${topic}: this run proves no difference`, about: [] };
}
