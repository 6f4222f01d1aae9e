/** Which line of source goes with what a server does at a moment. */
import type { Ms } from '../trace.ts';
import { type Story, segmentAt, type TaskSegment } from './story.ts';

/** What tells most comes first. */
const RANK: readonly TaskSegment['kind'][] = ['computes', 'one', 'any', 'sleeps', 'idle'];

/** What a thread is in: the name of a system call, or `computes`; '' when no line goes with it. */
export function stateOf({ kind, call }: TaskSegment): string {
  if (kind === 'computes') return kind;
  return RANK.includes(kind) ? (call ?? '') : '';
}

/** What the threads are in at a moment: names of system calls, or `computes`; the most telling first. */
export function statesAt(story: Story, t: Ms): string[] {
  const segments = story.tasks
    .flatMap(({ segments }) => segmentAt(segments, t) ?? [])
    .sort((a, b) => RANK.indexOf(a.kind) - RANK.indexOf(b.kind));
  return [...new Set(segments.map(stateOf))].filter((state) => state !== '');
}
