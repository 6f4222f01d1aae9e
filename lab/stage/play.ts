/** Plays a lesson's script against one server, and returns the trace. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lesson } from '../lesson.ts';
import { Seen } from '../seen.ts';
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
  /** Is told what `process.hrtime.bigint()` says at the trace's time 0. */
  readonly onBegin?: (zero: bigint) => void;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** A lesson that can begin: its server listens. */
export interface Prepared {
  /** Grows while it runs. */
  readonly trace: Trace;
  /** Milliseconds since it began. */
  readonly now: () => number;
  /** Plays it to its end. Call it once; then everything that was started has ended. */
  run(): Promise<Trace>;
  /** Ends everything, whether it ran or not. */
  close(): Promise<void>;
}

/** @throws Error with what the server said, when it does not come up */
export async function prepare(
  lesson: Playable,
  server: Server,
  { looksPerSecond = 900, onEntries, onBegin, signal }: PlayOptions = {},
): Promise<Prepared> {
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
  return {
    trace: stage.trace,
    now: stage.now,
    close: () => stage.close(),
    run: async () => {
      try {
        const zero = stage.begin();
        onBegin?.(zero);
        const seen = new Seen(stage.trace);
        const patience = 3 * lesson.duration;
        let lateness = 0;
        for (const step of lesson.script) {
          await until(step.at, stage, signal);
          let due = step.at;
          while (step.once && seen.isOwed(step.who) && stage.now() < patience) {
            await until(stage.now() + 5, stage, signal);
            due = stage.now();
          }
          if (signal?.aborted) break;
          lateness = Math.max(lateness, stage.now() - due);
          stage.act(step.who, step);
        }
        const isStopped = lesson.script.some((step) => step.do === 'stop');
        const isOpen = () =>
          (isStopped && seen.at('server', 'exit') === undefined) ||
          Object.keys(lesson.clients).some((who) => seen.isOwed(who));
        await until(lesson.duration, stage, signal);
        while (isOpen() && stage.now() < patience && !signal?.aborted) {
          await until(stage.now() + 50, stage, signal);
        }
        stage.trace.quality.lateness = Math.round(lateness * 100) / 100;
        return await stage.finish();
      } finally {
        await stage.close();
      }
    },
  };
}

/** Prepares a lesson and plays it. @throws Error as `prepare` does */
export async function play(
  lesson: Playable,
  server: Server,
  options: PlayOptions = {},
): Promise<Trace> {
  return (await prepare(lesson, server, options)).run();
}

async function until(at: number, stage: Stage, signal: AbortSignal | undefined): Promise<void> {
  const rest = at - stage.now();
  if (rest > 0 && !signal?.aborted)
    await sleep(rest, undefined, signal ? { signal } : {}).catch(() => undefined);
}
