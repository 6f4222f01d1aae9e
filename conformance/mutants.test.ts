/** What is said of the mutants: who they are, and what the page about the checks shows of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checks } from './checks/index.ts';
import { page } from './docs.ts';
import { mutants, onlyMeasure } from './mutants/index.ts';
import { judging, selectionFor } from './mutants-share.ts';
import { missingShares } from './shares.ts';

test('docs/conformance.md shows what is so', () => {
  // After a change: npm run conformance:docs
  expect(readFileSync(new URL('../docs/conformance.md', import.meta.url), 'utf8')).toBe(page());
});

test('every mutant is listed, and every check is killed by one', () => {
  const files = readdirSync(new URL('mutants', import.meta.url)).map((file) => file.slice(0, -3));
  const programs = files.filter((name) => !['index', 'server', 'causes'].includes(name));
  expect(Object.keys(mutants).sort()).toEqual(programs.sort());
  const killed = new Set(Object.values(mutants).flat());
  expect(judging.filter((id) => !killed.has(id))).toEqual([]);
  expect([...killed, ...onlyMeasure].filter((id) => !checks.some((one) => one.id === id))).toEqual(
    [],
  );
});

test('every check meets a mutant that it must catch', () => {
  const met = Object.entries(mutants).flatMap(([name, caughtBy]) =>
    selectionFor(name, caughtBy).filter((id) => caughtBy.includes(id)),
  );
  expect(judging.filter((id) => !met.includes(id))).toEqual([]);
});

test('every mutant is judged', () => expect(missingShares('mutants')).toEqual([]));
