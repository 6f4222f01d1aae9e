/**
 * Every lesson, played now against real servers, and each sentence of its explanation held against what
 * happened. On a busy machine everything takes longer; what is compared are orders and ratios.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { Lesson } from '../lesson.ts';
import { noiseOf, traceFile } from '../record.ts';
import { Seen } from '../seen.ts';
import { open, perform } from '../stage/play.ts';
import { model, models } from '../stage/servers.ts';
import type { Stage } from '../stage/stage.ts';
import { TRACE_FORMAT, type Trace } from '../trace.ts';
import { lessons } from './index.ts';
import { sources } from './sources.ts';

/** A recording, as a lesson's page shows it. */
function recordingOf({ id }: Lesson, name: string): Seen {
  const text = readFileSync(traceFile(id, name), 'utf8');
  return new Seen(JSON.parse(text) as Trace);
}

function untrue(lesson: Lesson, of: (name: string) => Seen): string[] {
  return lesson.explanation.filter(({ holds }) => holds && !holds(of)).map(({ says }) => says);
}

/** Lessons that want their servers started alike share them; one that ends its server comes last. */
const groups = new Map<string, Lesson[]>();
for (const lesson of lessons) {
  const { args, cores, workers } = lesson;
  const key = JSON.stringify({ args, cores, workers });
  groups.set(key, [...(groups.get(key) ?? []), lesson]);
}

function endsItsServer({ script }: Lesson): boolean {
  return script.some((step) => step.do === 'kill' || step.do === 'stop');
}

describe.skipIf(process.platform !== 'linux')('what the explanations say, played now', () => {
  describe.each([...groups])('%s', (_key, group) => {
    const stages = new Map<string, Promise<Stage>>();
    afterAll(async () => {
      await Promise.all([...stages.values()].map(async (stage) => (await stage).close()));
    });

    function stageFor(lesson: Lesson, name: string): Promise<Stage> {
      const stage = stages.get(name) ?? open(lesson, model(name), { looksPerSecond: 200 });
      stages.set(name, stage);
      return stage;
    }

    const inOrder = [...group].sort((a, b) => Number(endsItsServer(a)) - Number(endsItsServer(b)));
    test.each(inOrder.map((lesson) => [lesson.id, lesson] as const))('%s', async (_, lesson) => {
      const names = lesson.shows.filter((name) => models().includes(name));
      const ready = await Promise.all(names.map((name) => stageFor(lesson, name)));
      const traces = await Promise.all(ready.map((stage) => perform(stage, lesson)));
      const of = (name: string) => new Seen(traces[names.indexOf(name)] as Trace);
      expect(untrue(lesson, of)).toEqual([]);
      for (const name of names) expect(lesson.question.answer(of(name)), name).toBeDefined();
    });
  });
});

describe('the recordings', () => {
  test.each(lessons.map((lesson) => [lesson.id, lesson] as const))('%s', (_, lesson) => {
    expect(untrue(lesson, (name) => recordingOf(lesson, name))).toEqual([]);
    for (const name of lesson.shows.filter((one) => models().includes(one))) {
      const { trace } = recordingOf(lesson, name);
      expect(trace).toMatchObject({
        format: TRACE_FORMAT,
        lesson: lesson.id,
        model: name,
        blind: {},
      });
      expect(noiseOf(trace, lesson), name).toEqual([]);
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
