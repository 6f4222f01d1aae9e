/**
 * Every lesson, played now against real servers, and each sentence of its explanation held against what
 * happened. On a busy machine everything takes longer; what is compared are orders and ratios.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelNames } from '../../conformance/models.ts';
import { whyNoIoUring } from '../../sockets/io-uring.ts';
import type { Lesson } from '../lesson.ts';
import { noiseOf, traceFile } from '../record.ts';
import { Seen } from '../seen.ts';
import { open, perform } from '../stage/play.ts';
import { model } from '../stage/servers.ts';
import type { Stage } from '../stage/stage.ts';
import { TRACE_FORMAT, type Trace } from '../trace.ts';
import { lessons } from './index.ts';
import { sources } from './sources.ts';

/** A recording, as a lesson's page shows it. */
function recordingOf({ id }: Lesson, name: string): Seen {
  const text = readFileSync(traceFile(id, name), 'utf8');
  return new Seen(JSON.parse(text) as Trace);
}

/** A sentence is about a model that cannot be played here. */
class NotPlayed extends Error {}

function untrue(lesson: Lesson, of: (name: string) => Seen): string[] {
  const isUntrue = (holds: (of: (name: string) => Seen) => boolean): boolean => {
    try {
      return !holds(of);
    } catch (error) {
      if (error instanceof NotPlayed) return false;
      throw error;
    }
  };
  return lesson.explanation.filter(({ holds }) => holds && isUntrue(holds)).map(({ says }) => says);
}

/** Lessons that want their servers started alike share them; one that ends its server comes last. */
const groups = new Map<string, Lesson[]>();
for (const lesson of lessons) {
  const { args, cores, workers } = lesson;
  const key = JSON.stringify({ args, cores, workers });
  const before = groups.get(key) ?? [];
  groups.set(key, endsItsServer(lesson) ? [...before, lesson] : [lesson, ...before]);
}

function endsItsServer({ script }: Lesson): boolean {
  return script.some((step) => step.do === 'kill' || step.do === 'stop');
}

const noIoUring = whyNoIoUring();

/** The models that a lesson shows, as far as they are there, and can be played. */
function shown(lesson: Lesson): string[] {
  const there = lesson.shows.filter((name) => modelNames().includes(name));
  return there.filter((name) => name !== 'io-uring' || !noIoUring);
}

/** While one group of lessons is played, the servers of the next start. */
function playAll(): Map<string, Promise<Map<string, Trace>>> {
  const played = new Map<string, Promise<Map<string, Trace>>>();
  let opening: Promise<unknown> = Promise.resolve();
  let playing: Promise<unknown> = Promise.resolve();
  for (const group of groups.values()) {
    const names = [...new Set(group.flatMap(shown))];
    const opened = opening.then(() => openAll(group[0] as Lesson, names));
    opening = opened.catch(() => undefined);
    for (const lesson of group) {
      const traces = playing.then(async () => playOn(await opened, lesson));
      traces.catch(() => undefined); // the lesson's own test says so
      playing = traces.catch(() => undefined);
      played.set(lesson.id, traces);
    }
    playing = playing.then(() => opened).then(closeAll, () => undefined);
  }
  return played;
}

/** Starts servers as a lesson wants them. */
async function openAll(lesson: Lesson, names: readonly string[]): Promise<Map<string, Stage>> {
  const starting = names.map((name) => open(lesson, model(name), { looksPerSecond: 40 }));
  return new Map((await Promise.all(starting)).map((stage, i) => [names[i] as string, stage]));
}

async function playOn(stages: Map<string, Stage>, lesson: Lesson): Promise<Map<string, Trace>> {
  const traces = shown(lesson).map(async (name) => {
    return [name, await perform(stages.get(name) as Stage, lesson)] as const;
  });
  return new Map(await Promise.all(traces));
}

/** Plays one lesson with servers of its own. */
async function playAlone(lesson: Lesson): Promise<Map<string, Trace>> {
  const stages = await openAll(lesson, shown(lesson));
  try {
    return await playOn(stages, lesson);
  } finally {
    await closeAll(stages);
  }
}

async function closeAll(stages: Map<string, Stage>): Promise<void> {
  await Promise.all([...stages.values()].map((stage) => stage.close()));
}

const without = noIoUring ? ` (without io-uring: ${noIoUring})` : '';

describe.skipIf(process.platform !== 'linux')(
  `what the explanations say, played now${without}`,
  () => {
    let played: ReturnType<typeof playAll>;
    beforeAll(() => {
      played = playAll();
    });

    const inOrder = [...groups.values()].flat();
    test.each(inOrder.map((lesson) => [lesson.id, lesson] as const))(
      '%s',
      { timeout: 120_000 },
      async (id, lesson) => {
        let traces = (await played.get(id)) as Map<string, Trace>;
        const of = (name: string): Seen => {
          const trace = traces.get(name);
          if (!trace) throw new NotPlayed(name);
          return new Seen(trace);
        };
        if (untrue(lesson, of).length > 0) {
          // Somebody has waited for a core: once more, beside no other lesson.
          await Promise.allSettled(played.values());
          traces = await playAlone(lesson);
        }
        expect(untrue(lesson, of)).toEqual([]);
        for (const [name, trace] of traces) {
          expect(lesson.question.answer(new Seen(trace)), name).toBeDefined();
        }
      },
    );
  },
);

describe('the recordings', () => {
  test.each(lessons.map((lesson) => [lesson.id, lesson] as const))('%s', (_, lesson) => {
    expect(untrue(lesson, (name) => recordingOf(lesson, name))).toEqual([]);
    for (const name of lesson.shows.filter((one) => modelNames().includes(one))) {
      const { trace } = recordingOf(lesson, name);
      expect(trace).toMatchObject({
        format: TRACE_FORMAT,
        lesson: lesson.id,
        model: name,
        blind: {},
      });
      expect(noiseOf(trace, lesson), name).toEqual(trace.quality.noise ?? []);
      expect(lesson.question.answer(new Seen(trace)), name).toBeDefined();
      const size = gzipSync(readFileSync(traceFile(lesson.id, name))).length;
      expect(size, name).toBeLessThan(20 * 1024);
    }
  });
});

test('each lesson has five sentences, a question, and a script in order', () => {
  for (const lesson of lessons) {
    expect(lesson.explanation, lesson.id).toHaveLength(5);
    expect(lesson.question.choices.length).toBeGreaterThanOrEqual(2);
    expect(lesson.question.choices.length).toBeLessThanOrEqual(4);
    const times = lesson.script.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(lesson.duration);
    const known = [...Object.keys(lesson.clients), 'server'];
    expect(lesson.script.map(({ who }) => who).filter((who) => !known.includes(who))).toEqual([]);
  }
});

test('the lessons are one course', () => {
  expect(new Set(lessons.map(({ id }) => id)).size).toBe(lessons.length);
  expect(lessons.map(({ next }) => next)).toEqual([
    ...lessons.slice(1).map(({ id }) => id),
    undefined,
  ]);
});

test('the lines of source are there', () => {
  const lines = [...sources, ...lessons.flatMap(({ source }: Lesson) => source)];
  const lost = lines.filter(({ file, text }) => {
    const program = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    return program.split(text).length !== 2;
  });
  expect(lost).toEqual([]);
});
