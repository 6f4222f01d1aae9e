/** Plays a lesson's script against one server, and returns the trace. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lesson } from '../lesson.ts';
import type { Entry, Trace } from '../trace.ts';
import type { Server } from './servers.ts';
import { flooders, Stage } from './stage.ts';

/** What of a lesson is played. */
export type Playable = Pick<Lesson, 'id' | 'clients' | 'args' | 'script' | 'duration'> &
  Pick<Partial<Lesson>, 'cores' | 'workers'>;

export interface PlayOptions {
  /** 1 to 900. Default: 900. */
  readonly looksPerSecond?: number;
  readonly onEntries?: (entries: readonly Entry[]) => void;
  /** Is called when the server listens, just before time begins. Time begins when it has resolved. */
  readonly onReady?: (trace: Trace) => void | Promise<void>;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** @throws Error with what the server said, when it does not come up */
export async function play(
  lesson: Playable,
  server: Server,
  { looksPerSecond = 900, onEntries, onReady, signal }: PlayOptions = {},
): Promise<Trace> {
  const stage = await Stage.open(server, {
    lesson: lesson.id,
    names: lesson.clients,
    args: lesson.args,
    apart: flooders(lesson.script),
    looksPerSecond,
    ...(lesson.cores === undefined ? {} : { cores: lesson.cores }),
    ...(lesson.workers === undefined ? {} : { workers: lesson.workers }),
    ...(onEntries ? { onEntries } : {}),
  });
  try {
    await onReady?.(stage.trace);
    stage.begin();
    let lateness = 0;
    for (const step of lesson.script) {
      await until(step.at, stage, signal);
      if (signal?.aborted) break;
      lateness = Math.max(lateness, stage.now() - step.at);
      stage.act(step.who, step);
    }
    if (!signal?.aborted) await until(lesson.duration, stage, signal);
    stage.trace.quality.lateness = Math.round(lateness * 100) / 100;
    return await stage.finish();
  } finally {
    await stage.close();
  }
}

async function until(at: number, stage: Stage, signal: AbortSignal | undefined): Promise<void> {
  const rest = at - stage.now();
  if (rest > 0) await sleep(rest, undefined, signal ? { signal } : {}).catch(() => undefined);
}
