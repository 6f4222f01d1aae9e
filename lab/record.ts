/**
 * `npx tsx lab --record`: plays lessons several times, and keeps the quietest recording of each server.
 *
 * A busy machine makes servers wait that would not. So a recording passes a gate: no long gap between two
 * looks, no step of the script that was late, and little time in which a thread was ready and had no core,
 * unless the lesson is about that.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { modelNames } from '../conformance/models.ts';
import type { Lesson } from './lesson.ts';
import { lessons as allLessons } from './lessons/index.ts';
import { Seen } from './seen.ts';
import { open, perform } from './stage/play.ts';
import { model, type Server } from './stage/servers.ts';
import type { Stage } from './stage/stage.ts';
import type { Trace } from './trace.ts';

const FOLDER = new URL('traces/', import.meta.url);

/**
 * Milliseconds, each: what a recording may have at most. A client that floods, the server and who looks at
 * them want more than two cores, and there is no quieter run of it: such a lesson may wait longer for a core.
 */
const GATE = { longestGap: 25, lateness: 15, coreWait: 100, coreWaitInFlood: 600 } as const;

export interface RecordOptions {
  readonly lessons: readonly Lesson[];
  /** None: all that there are. */
  readonly models: readonly string[];
  readonly runs: number;
  /** Keeps what does not pass the gate, too. */
  readonly noisy: boolean;
  readonly signal: AbortSignal;
}

/** @returns the exit code: 1 when something was too noisy to be kept */
export async function record(options: RecordOptions): Promise<number> {
  const { lessons, models, runs, noisy, signal } = options;
  mkdirSync(FOLDER, { recursive: true });
  let refused = 0;
  for (const lesson of lessons) {
    const servers = (models.length > 0 ? models : modelNames()).map(model);
    // What only waits disturbs nobody: several servers at once. What computes has the machine for itself.
    const together = needsTheMachine(lesson) ? 1 : 3;
    for (let at = 0; at < servers.length; at += together) {
      const some = servers.slice(at, at + together);
      const found = await Promise.all(some.map((one) => quietest(lesson, one, runs, signal)));
      if (signal.aborted) return 130;
      for (const best of found) if (best && !keep(lesson, best, noisy)) refused++;
    }
  }
  if (refused > 0) {
    process.stderr.write(
      `lab: ${refused} too noisy and not kept: end what else runs, or take --runs more\n`,
    );
  }
  return refused > 0 ? 1 : 0;
}

interface Recording {
  readonly trace: Trace;
  readonly noise: readonly string[];
}

/** Writes a recording, if it is good enough, and says how good it is. @returns whether it was written */
function keep(lesson: Lesson, { trace, noise }: Recording, noisy: boolean): boolean {
  const isKept = noise.length === 0 || noisy;
  const json = `${JSON.stringify(trace)}\n`;
  if (isKept) writeFileSync(traceFile(lesson.id, trace.model), json);
  const size = `${(gzipSync(json).length / 1024).toFixed(1)} KB gzipped`;
  const { looks, medianGap, longestGap, coreWait } = trace.quality;
  const how = `${looks} looks, gaps ${medianGap} to ${longestGap} ms, ${coreWait} ms without a core`;
  const verdict =
    noise.length === 0 ? '' : `; ${isKept ? 'NOISY' : 'REFUSED'}: ${noise.join(', ')}`;
  process.stdout.write(`${lesson.id} ${trace.model}: ${size}, ${how}${verdict}\n`);
  return isKept;
}

/** Whether a server that plays it needs the cores for itself. */
export function needsTheMachine({
  args,
  script,
  cores,
  crowdsCores,
}: Pick<Lesson, 'args' | 'script' | 'cores' | 'crowdsCores'>): boolean {
  return (
    args.includes('--work') || cores !== undefined || crowdsCores === true || floods({ script })
  );
}

function floods({ script }: Pick<Lesson, 'script'>): boolean {
  return script.some(({ do: act }) => act === 'flood');
}

/** Where the recording of a lesson with a model is. */
export function traceFile(lesson: string, server: string): URL {
  return new URL(`${lesson}.${server}.json`, FOLDER);
}

/** The recordings that there are: of each lesson, the models. */
export function recorded(): { readonly lesson: string; readonly model: string }[] {
  if (!existsSync(FOLDER)) return [];
  return allLessons.flatMap(({ id }) =>
    readdirSync(FOLDER)
      .filter((name) => name.startsWith(`${id}.`) && name.endsWith('.json'))
      .map((name) => ({ lesson: id, model: name.slice(id.length + 1, -'.json'.length) })),
  );
}

async function quietest(
  lesson: Lesson,
  server: Server,
  runs: number,
  signal: AbortSignal,
): Promise<Recording | undefined> {
  // One that is ended cannot be used again; threads that one run has started would be there in the next.
  const isUsedUp =
    lesson.crowdsCores === true ||
    lesson.script.some((step) => step.do === 'kill' || step.do === 'stop');
  let stage: Stage | undefined;
  let best: (Recording & { readonly score: number }) | undefined;
  try {
    for (let run = 1; run <= runs && !signal.aborted; run++) {
      if (isUsedUp) await stage?.close();
      if (isUsedUp || !stage) stage = await open(lesson, server);
      const trace = await perform(stage, lesson, { signal });
      const [noise, score] = [noiseOf(trace, lesson), scoreOf(trace, lesson)];
      // What passes the gate wins over what does not; then the quieter one.
      const isBetter =
        !best ||
        noise.length < best.noise.length ||
        (noise.length === best.noise.length && score < best.score);
      if (isBetter) best = { trace, noise, score };
    }
  } finally {
    await stage?.close();
  }
  if (!best || signal.aborted) return undefined;
  Object.assign(best.trace.quality, {
    recorded: new Date().toISOString().slice(0, 10),
    runs,
    ...(best.noise.length > 0 ? { noise: best.noise } : {}),
  });
  return best;
}

/** What is wrong with a recording, in a few words each. */
export function noiseOf(
  trace: Trace,
  lesson: Pick<Lesson, 'cores' | 'crowdsCores' | 'script' | 'wants'>,
): string[] {
  const { quality, blind } = trace;
  const { longestGap, lateness, coreWait } = quality;
  const { wants } = lesson;
  const mostCoreWait = floods(lesson) ? GATE.coreWaitInFlood : GATE.coreWait;
  return [
    ...(wants && !wants.isThere(new Seen(trace)) ? [`no ${wants.what}`] : []),
    ...(blind.tasks || blind.sockets ? [`blind: ${blind.tasks ?? blind.sockets}`] : []),
    ...(longestGap > GATE.longestGap ? [`${longestGap} ms between two looks`] : []),
    ...(lateness > GATE.lateness ? [`a step was ${lateness} ms late`] : []),
    // In a crowd nobody can tell whom they waited for.
    ...(!lesson.crowdsCores && strangersCoreWait(trace, lesson) > mostCoreWait
      ? [`threads waited ${coreWait} ms for a core`]
      : []),
  ];
}

function scoreOf(trace: Trace, lesson: Pick<Lesson, 'cores'>): number {
  const { longestGap, lateness } = trace.quality;
  return longestGap + lateness + strangersCoreWait(trace, lesson);
}

/**
 * Milliseconds that threads waited for a core, because something else had it. With one core for two lines that is
 * what the lesson is about: while two threads compute, one of them waits.
 */
function strangersCoreWait(trace: Trace, { cores }: Pick<Lesson, 'cores'>): number {
  const { coreWait } = trace.quality;
  return cores === undefined ? coreWait : Math.max(0, coreWait - new Seen(trace).together(2));
}
