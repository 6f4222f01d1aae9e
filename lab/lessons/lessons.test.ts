/**
 * Every lesson, played now against real servers, and each sentence of its explanation held against what
 * happened. On a busy machine everything takes longer; what is compared are orders and ratios.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Lesson } from '../lesson.ts';
import { Seen } from '../seen.ts';
import { prepare } from '../stage/play.ts';
import { model, models } from '../stage/servers.ts';
import { lessons } from './index.ts';
import { sources } from './sources.ts';

const there = models();

describe.skipIf(process.platform !== 'linux')('what the explanations say', () => {
  test.each(lessons.map((lesson) => [lesson.id, lesson] as const))('%s', async (_, lesson) => {
    const shown = lesson.shows.filter((name) => there.includes(name));
    const stages = await Promise.all(
      shown.map((name) => prepare(lesson, model(name), { looksPerSecond: 200 })),
    );
    const traces = await Promise.all(stages.map((stage) => stage.run()));
    const of = (name: string) => {
      const trace = traces.find((one) => one.model === name);
      if (!trace) throw new Error(`${name} was not played`);
      return new Seen(trace);
    };
    const untrue = lesson.explanation.filter(({ holds }) => holds && !holds(of));
    expect(untrue.map(({ says }) => says)).toEqual([]);
    for (const trace of traces) {
      const answer = lesson.question.answer(new Seen(trace));
      expect(lesson.question.choices[answer ?? -1], trace.model).toBeDefined();
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
