/**
 * `npx tsx lab --record`: plays lessons several times, and keeps the quietest recording of each server.
 *
 * A busy machine makes servers wait that would not. So a recording passes a gate: no long gap between two
 * looks, no step of the script that was late, and little time in which a thread was ready and had no core,
 * unless the lesson is about that.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Lesson } from './lesson.ts';
import { lessons as allLessons } from './lessons/index.ts';
import { defaults } from './options.ts';
import { play } from './stage/play.ts';
import { model, type Server } from './stage/servers.ts';
import type { Trace } from './trace.ts';

const FOLDER = new URL('traces/', import.meta.url);

/** Milliseconds, each: what a recording may have at most. */
const GATE = { longestGap: 25, lateness: 15, coreWait: 60 } as const;

export interface RecordOptions {
  readonly lessons: readonly Lesson[];
  /** None: those that each lesson shows. */
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
    const servers = models.length > 0 ? models.map(model) : defaults(lesson);
    for (const server of servers) {
      if (signal.aborted) return 130;
      const best = await quietest(lesson, server, runs, signal);
      if (!best) return 130;
      const { trace, noise } = best;
      const isKept = noise.length === 0 || noisy;
      const json = `${JSON.stringify(trace)}\n`;
      if (isKept) writeFileSync(traceFile(lesson.id, server.name), json);
      else refused++;
      const size = `${(gzipSync(json).length / 1024).toFixed(1)} KB gzipped`;
      const { looks, medianGap, longestGap, coreWait } = trace.quality;
      const how = `${looks} looks, gaps ${medianGap} to ${longestGap} ms, ${coreWait} ms without a core`;
      const verdict =
        noise.length === 0 ? '' : ` ${isKept ? 'NOISY' : 'REFUSED'}: ${noise.join(', ')}`;
      process.stdout.write(`${lesson.id} ${server.name}: ${size}, ${how}${verdict}\n`);
    }
  }
  if (refused > 0) {
    process.stderr.write(
      `lab: ${refused} too noisy and not kept: end what else runs, or --runs more\n`,
    );
  }
  return refused > 0 ? 1 : 0;
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

async function quietest(lesson: Lesson, server: Server, runs: number, signal: AbortSignal) {
  let best: { trace: Trace; noise: string[]; score: number } | undefined;
  for (let run = 1; run <= runs; run++) {
    const trace = await play(lesson, server, { signal });
    if (signal.aborted) return undefined;
    const [noise, score] = [noiseOf(trace, lesson), scoreOf(trace, lesson)];
    // What passes the gate wins over what does not; then the quieter one.
    const isBetter =
      !best ||
      noise.length < best.noise.length ||
      (noise.length === best.noise.length && score < best.score);
    if (isBetter) best = { trace, noise, score };
  }
  if (!best) return undefined;
  Object.assign(best.trace.quality, { recorded: new Date().toISOString().slice(0, 10), runs });
  return best;
}

/** What is wrong with a recording, in a few words each. */
export function noiseOf({ quality, blind }: Trace, lesson: Pick<Lesson, 'cores'>): string[] {
  const { longestGap, lateness, coreWait } = quality;
  return [
    ...(blind.tasks || blind.sockets ? [`blind: ${blind.tasks ?? blind.sockets}`] : []),
    ...(longestGap > GATE.longestGap ? [`${longestGap} ms between two looks`] : []),
    ...(lateness > GATE.lateness ? [`a step was ${lateness} ms late`] : []),
    ...(lesson.cores === undefined && coreWait > GATE.coreWait
      ? [`threads waited ${coreWait} ms for a core`]
      : []),
  ];
}

function scoreOf({ quality }: Trace, lesson: Pick<Lesson, 'cores'>): number {
  const { longestGap, lateness, coreWait } = quality;
  return longestGap + lateness + (lesson.cores === undefined ? coreWait : 0);
}
