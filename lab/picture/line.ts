/** Which line of source goes with what a server does at a moment. */
import type { Ms } from '../trace.ts';
import { type Story, segmentAt, type TaskSegment } from './story.ts';

/** What tells most comes first. */
const RANK: readonly TaskSegment['kind'][] = ['computes', 'one', 'any', 'sleeps', 'idle'];

/** What the threads are in at a moment: names of system calls, or `computes`; the most telling first. */
export function statesAt(story: Story, t: Ms): string[] {
  const segments = story.tasks
    .flatMap(({ segments }) => segmentAt(segments, t) ?? [])
    .filter(({ kind }) => RANK.includes(kind))
    .sort((a, b) => RANK.indexOf(a.kind) - RANK.indexOf(b.kind));
  const states = segments.map(({ kind, call }) => (kind === 'computes' ? kind : (call ?? '')));
  return [...new Set(states)].filter((state) => state !== '');
}
