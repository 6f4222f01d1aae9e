/** The moments worth stopping at: what clients do and get, and what servers begin to do. */
import type { Event, Ms } from '../trace.ts';
import { actOf } from './sentences.ts';
import type { ClientSegment, Story } from './story.ts';

/** Closer together than this is one moment, as a share of the whole. */
const CLOSE = 0.004;

/** A change of what a thread does is worth a stop when it then lasts so long, as a share of the whole. */
const LASTING = 0.02;

/**
 * All moments of some stories of one script, in order. The first is the beginning.
 *
 * @param stories - of the models that are shown
 */
export function momentsOf(stories: readonly Story[]): Ms[] {
  const duration = Math.max(0, ...stories.map((story) => story.duration));
  const acts = stories.flatMap((story) => [
    ...story.clients.flatMap(({ events }) => events.filter(isWorthAStop).map(({ t }) => t)),
    ...story.ends.map(({ t }) => t),
  ]);
  const changes = stories.flatMap(({ tasks, clients }) =>
    [...tasks, ...clients]
      .flatMap(({ segments }) => segments as readonly { from: Ms; to: Ms }[])
      .filter(({ from, to }) => to - from > duration * LASTING)
      .map(({ from }) => from),
  );
  const moments: Ms[] = [];
  // What happens at about the same time is one stop: at the last of it, when all of it can be seen.
  for (const t of [0, ...acts, ...changes].sort((a, b) => a - b)) {
    const first = moments.at(-1);
    if (first !== undefined && t - first < duration * CLOSE) moments[moments.length - 1] = t;
    else moments.push(t);
  }
  return moments;
}

function isWorthAStop(event: Event): boolean {
  return actOf(event) !== '' || ['echo', 'part', 'fin', 'cut', 'error'].includes(event.did);
}

/** How much a moment shows of a client: who is kept waiting says most. */
const WEIGHT: Readonly<Record<ClientSegment['where'], number>> = {
  backlog: 4,
  unread: 4,
  server: 2,
  partial: 1,
  flood: 1,
  idle: 0,
  unknown: 0,
};

/**
 * The moment that shows most: somebody is kept waiting in as many pictures as possible, for as long as
 * possible.
 */
export function tellingMoment(stories: readonly Story[]): Ms {
  // Who sends a signal wants to see what comes of it.
  const signal = stories[0]?.ends.find(({ did }) => did === 'signal');
  if (signal) return signal.t + (stories[0]?.duration ?? 0) / 20;
  const segments = stories.flatMap(({ clients }) => clients.flatMap((lane) => lane.segments));
  const edges = [...new Set(segments.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  let best = { score: 0, length: 0, t: 0 };
  for (let i = 1; i < edges.length; i++) {
    const [from = 0, to = 0] = [edges[i - 1], edges[i]];
    const t = (from + to) / 2;
    const score = segments.reduce(
      (sum, one) => sum + (one.from <= t && t < one.to ? weight(one) : 0),
      0,
    );
    const length = to - from;
    // What is over in a moment shows little, however much it is.
    if (score ** 1.5 * Math.sqrt(length) > best.score ** 1.5 * Math.sqrt(best.length))
      best = { score, length, t };
  }
  return best.t;
}

function weight({ where, owed, paused }: ClientSegment): number {
  const isKept = owed > 0 ? WEIGHT[where] * 2 : WEIGHT[where];
  return isKept + (paused && where === 'flood' ? 6 : 0);
}
