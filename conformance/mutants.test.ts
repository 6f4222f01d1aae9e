/**
 * The checks are checked: every check is run against every mutant, a server with one defect, and just
 * those that are declared must catch it. What needs a check that failed is not run, as for anybody.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checks } from './checks/index.ts';
import { Program } from './contestants.ts';
import { page } from './docs.ts';
import { mutants, onlyMeasure, slowOnes } from './mutants/index.ts';
import { judge } from './suite.ts';

/** Waits that are to fail are shorter: 1.5 s. */
const SLOW_FACTOR = 0.3;

const judging = checks.map(({ id }) => id).filter((id) => !onlyMeasure.includes(id));

test.concurrent.each(Object.entries(mutants))(
  '%s',
  { timeout: 240_000 },
  async (name, caughtBy) => {
    const selected = slowOnes[name] ?? judging;
    const slowFactor = name in slowOnes ? 1 : SLOW_FACTOR;
    const { verdicts } = await judge(
      new Program(name, `conformance/mutants/${name}.ts`),
      checks.filter(({ id }) => selected.includes(id)),
      {
        slowFactor,
        signal: new AbortController().signal,
        onCheck: () => undefined,
        onVerdict: () => undefined,
      },
    );
    const having = (outcome: string) => verdicts.filter((one) => one.outcome === outcome);
    const failed = having('fail');
    const account = failed.map(({ check, message }) => `${check.id}: ${message}`).join('\n');
    // Without ::1, say: what cannot be told is not expected to be.
    const untold = having('unsupported').map(({ check }) => check.id);
    expect(having('harness')).toEqual([]);
    expect(
      failed.map(({ check }) => check.id),
      account,
    ).toEqual(caughtBy.filter((id) => !untold.includes(id) || id !== 'concurrency/both-families'));
  },
);

test('docs/conformance.md shows what is so', () => {
  // After a change: npm run conformance:docs
  expect(readFileSync(new URL('../docs/conformance.md', import.meta.url), 'utf8')).toBe(page());
});

test('every mutant is listed, and every check is killed by one', () => {
  const files = readdirSync(new URL('mutants', import.meta.url)).map((file) => file.slice(0, -3));
  const programs = files.filter((name) => name !== 'index' && name !== 'server');
  expect(Object.keys(mutants).sort()).toEqual(programs.sort());
  const killed = new Set(Object.values(mutants).flat());
  expect(judging.filter((id) => !killed.has(id))).toEqual([]);
  expect([...killed, ...onlyMeasure].filter((id) => !checks.some((one) => one.id === id))).toEqual(
    [],
  );
});
