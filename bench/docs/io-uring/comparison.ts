/** io_uring(7) beside epoll(7), in each language and each situation: what a run proves. */
import { median, ratiosOfRounds } from '../../results.ts';
import type { Book } from '../figures.ts';
import { isBetter } from '../proof.ts';

/** In each language, a server over epoll(7) and one over io_uring(7): the same work, lines and limits. */
export const PAIRS = [
  { language: 'C', epoll: 'c-epoll', ring: 'c-io-uring' },
  { language: 'TypeScript', epoll: 'epoll-loop', ring: 'io-uring' },
] as const;

export const MEASURE = 'cpuPerLine';
/**
 * Where one line of each client is in flight, by question, with the size of its lines where the situation does not say
 * it. (With many in flight, the servers differ in how much they receive in one call, which has nothing to do with how
 * they wait.)
 */
const QUESTIONS = { echo: ', 64 bytes', sizes: '' } as const;

export interface Comparison {
  readonly question: string;
  readonly cell: string;
  /** The situation. */
  readonly words: string;
  readonly language: string;
  readonly epoll: string;
  readonly ring: string;
  /** CPU time over io_uring divided by that over epoll, over all rounds. */
  readonly ratio: number;
  readonly min: number;
  readonly max: number;
  /** What the run proves; undefined when it proves nothing. */
  readonly proven: 'less' | 'more' | undefined;
}

/** All comparisons for which a run has the figures. */
export function comparisons(book: Book): Comparison[] {
  return Object.entries(QUESTIONS).flatMap(([question, size]) =>
    book.cells(question).flatMap((found) =>
      PAIRS.flatMap(({ language, epoll, ring }) => {
        const ratios = ratiosOfRounds(found, ring, MEASURE, epoll);
        if (ratios.length === 0) return [];
        const place = { question, cell: found.id, measure: MEASURE };
        const isLess = isBetter(book, place, ring, epoll);
        const isMore = isBetter(book, place, epoll, ring);
        return {
          ...{ question, cell: found.id, words: found.words + size, language, epoll, ring },
          ...{ ratio: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
          proven: isLess ? ('less' as const) : isMore ? ('more' as const) : undefined,
        };
      }),
    ),
  );
}

/** The answer, in one sentence that the run supports; undefined when it has nothing to compare. */
export function verdict(all: readonly Comparison[]): string | undefined {
  const [less, more] = (['less', 'more'] as const).map(
    (side) => all.filter(({ proven }) => proven === side).length,
  ) as [number, number];
  const total = all.length;
  if (total === 0) return undefined;
  if (less === total) return 'Yes: in every comparison of this run, it takes less CPU time';
  if (less > 0) {
    const also = more > 0 ? `, and more in ${more}` : '';
    return `Sometimes: in ${less} of ${total} comparisons of this run it takes less CPU time${also}`;
  }
  if (more > 0)
    return `Not in this run: it takes more CPU time in ${more} of ${total} comparisons, and less in none`;
  return `Not in this run: none of ${total} comparisons proves a difference in CPU time`;
}
