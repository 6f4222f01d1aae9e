/** The lessons, in the order of the course. */
import type { Lesson } from '../lesson.ts';
import { aFlood } from './a-flood.ts';
import { aReset } from './a-reset.ts';
import { aThreadForEach } from './a-thread-for-each.ts';
import { halfALine } from './half-a-line.ts';
import { halfClose } from './half-close.ts';
import { isBenLetIn } from './is-ben-let-in.ts';
import { itOnlyWaits } from './it-only-waits.ts';
import { killAWorker } from './kill-a-worker.ts';
import { oneClientFourThreads } from './one-client-four-threads.ts';
import { readinessAndCompletion } from './readiness-and-completion.ts';
import { sixPieces } from './six-pieces.ts';
import { stopInMidLine } from './stop-in-mid-line.ts';
import { twoWorkersOneCore } from './two-workers-one-core.ts';
import { whereAreTheBytes } from './where-are-the-bytes.ts';
import { whoWaitsForWhom } from './who-waits-for-whom.ts';

export const lessons: readonly Lesson[] = [
  halfALine,
  sixPieces,
  isBenLetIn,
  whoWaitsForWhom,
  itOnlyWaits,
  oneClientFourThreads,
  twoWorkersOneCore,
  whereAreTheBytes,
  aFlood,
  halfClose,
  aReset,
  killAWorker,
  stopInMidLine,
  readinessAndCompletion,
  aThreadForEach,
];

/** @returns undefined when there is no such lesson */
export function lessonOf(id: string): Lesson | undefined {
  return lessons.find((lesson) => lesson.id === id);
}
