/** Plays a lesson's script against one server, and returns the trace. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lesson } from '../lesson.ts';
import { Seen } from '../seen.ts';
import type { ClientId, Trace } from '../trace.ts';
import type { Server } from './servers.ts';
import { flooders, Stage, type StageOptions } from './stage.ts';

/** What of a lesson is played. */
export type Playable = Pick<Lesson, 'id' | 'clients' | 'args' | 'script' | 'duration'> &
  Pick<Partial<Lesson>, 'cores' | 'workers'>;

export interface PlayOptions {
  /** Is told what `process.hrtime.bigint()` says at the trace's time 0. */
  readonly onBegin?: (zero: bigint) => void;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** Milliseconds that a busy machine may take longer than the lesson says. */
const PATIENCE = 10_000;

/**
 * Starts a server as a lesson wants it.
 *
 * @throws Error with what the server said, when it does not come up
 */
export function open(
  { args, cores, workers }: Playable,
  server: Server,
  options: Pick<StageOptions, 'looksPerSecond' | 'onEntries'> = {},
): Promise<Stage> {
  return Stage.open(server, {
    looksPerSecond: 900,
    ...options,
    args,
    ...(cores === undefined ? {} : { cores }),
    ...(workers === undefined ? {} : { workers }),
  });
}

/** Plays a lesson's script on a stage whose server was started as the lesson wants it. */
export async function perform(
  stage: Stage,
  lesson: Playable,
  { onBegin, signal }: PlayOptions = {},
): Promise<Trace> {
  const { id, clients, script, duration } = lesson;
  const zero = await stage.begin({ lesson: id, names: clients, apart: flooders(script) });
  onBegin?.(zero);
  const seen = new Seen(stage.trace);
  const patience = duration + PATIENCE;
  let [lateness, before] = [0, 0];
  const connecting = new Set<ClientId>();
  const isConnecting = (who: ClientId) =>
    seen.at(who, 'connected') === undefined && seen.at(who, 'error') === undefined;
  for (const step of script) {
    await until(step.at, stage, signal);
    let due = Math.max(step.at, before);
    // Who connects first is let in first, also when a process of its own is late.
    const mustWait = () =>
      (step.once && seen.isOwed(step.once)) ||
      (step.do === 'connect' && [...connecting].some(isConnecting));
    while (mustWait() && stage.now() < patience && !signal?.aborted) {
      await until(stage.now() + 5, stage, signal);
      due = stage.now();
    }
    if (signal?.aborted) break;
    if (step.do === 'connect') connecting.add(step.who);
    before = stage.now();
    lateness = Math.max(lateness, before - due);
    stage.act(step.who, step);
  }
  const isStopped = script.some((step) => step.do === 'stop');
  const isOpen = () =>
    [...connecting].some(isConnecting) ||
    (isStopped && seen.at('server', 'exit') === undefined) ||
    Object.keys(clients).some((who) => seen.isOwed(who) || seen.awaitsEnd(who));
  await until(duration, stage, signal);
  while (isOpen() && stage.now() < patience && !signal?.aborted) {
    await until(stage.now() + 50, stage, signal);
  }
  stage.trace.quality.lateness = Math.round(lateness * 100) / 100;
  return stage.finish();
}

/** Starts a server, plays a lesson, and ends the server. @throws Error as `open` does */
export async function play(
  lesson: Playable,
  server: Server,
  options: PlayOptions = {},
): Promise<Trace> {
  const stage = await open(lesson, server);
  try {
    return await perform(stage, lesson, options);
  } finally {
    await stage.close();
  }
}

async function until(at: number, stage: Stage, signal: AbortSignal | undefined): Promise<void> {
  const rest = at - stage.now();
  if (rest > 0 && !signal?.aborted)
    await sleep(rest, undefined, signal ? { signal } : {}).catch(() => undefined);
}
