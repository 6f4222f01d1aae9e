/** Runs that are made up for the tests, so that it is known what they prove. */

import type { Figures } from '../question.ts';
import { questions } from '../questions/index.ts';
import type { Results } from '../results.ts';

export const MODELS = [
  ...['blocking', 'process-per-connection', 'poll-loop', 'thread-per-connection', 'cluster'],
  ...['worker-threads', 'epoll-loop', 'coroutines', 'events', 'async-await', 'rxjs', 'io-uring'],
];
const BASELINES = ['pipe', 'snippet', 'c-epoll', 'c-io-uring'];

/** What a contestant's figure is in a round; undefined for the usual one, which all others have. */
export type Figure = (
  id: string,
  place: { readonly cell: string; readonly measure: string; readonly round: number },
) => number | undefined;

/** A full run in which all figures are 20, except those that are given. */
export function madeUp(figure: Figure, rounds = 5, more: Figures = {}): Results {
  const ids = [...MODELS, ...BASELINES];
  const effort = { quick: false, warmUp: 0, seconds: 1 };
  return {
    format: 1,
    ...{ date: '2026-01-02T03:04:05Z', took: 60, commit: 'abc', dirty: false },
    machine: { cpu: 'a cpu', cores: 2, memory: '1 GiB' },
    ...{ kernel: 'Linux 6', node: 'v20', placement: 'Nothing is pinned.' },
    options: { ...effort, rounds },
    contestants: ids.map((id) => {
      return { id, kind: MODELS.includes(id) ? 'model' : 'baseline', words: id };
    }),
    ...{ leftOut: [], wrong: [], failed: [] },
    questions: questions.map(({ id, title, measures, baseline, cells }) => ({
      ...{ id, title, measures, baseline },
      cells: cells(effort).map((cell) => ({
        id: cell.id,
        words: cell.words,
        rounds: Array.from({ length: rounds }, (_, round) =>
          ids.map((contestant) => ({
            ...{ contestant, round },
            figures: {
              ...Object.fromEntries(
                measures.map(({ name: measure }) => {
                  const place = { cell: cell.id, measure, round };
                  return [measure, figure(contestant, place) ?? 20];
                }),
              ),
              ...more,
            },
          })),
        ).flat(),
      })),
    })),
  };
}
