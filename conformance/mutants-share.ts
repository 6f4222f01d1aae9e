/**
 * The checks are checked: every check is run against every mutant, a server with one defect, and just
 * those that are declared must catch it. What needs a check that failed is not run, as for anybody.
 */
import { expect, test } from 'vitest';
import { explain } from './causes.ts';
import { checks } from './checks/index.ts';
import { Program } from './contestants.ts';
import { wrongCauses } from './mutants/causes.ts';
import { mutants, onlyMeasure, slowOnes } from './mutants/index.ts';
import { judge } from './suite.ts';

/** Waits that are to fail are shorter: 1.5 s. */
const SLOW_FACTOR = 0.3;

/** The checks that a mutant can fail. */
export const judging = checks.map(({ id }) => id).filter((id) => !onlyMeasure.includes(id));

/** How many test files judge a share of the mutants: each is a process, which can use a core. */
export const SHARES = 3;

/**
 * Judges one share of the mutants, several at a time. Who fails many checks takes long, and starts first.
 *
 * @param share - 1 to `SHARES`
 */
export function judgeShare(share: number): void {
  const mine = Object.entries(mutants).filter((_, i) => (i % SHARES) + 1 === share);
  mine.sort(([, a], [, b]) => b.length - a.length);
  test.concurrent.each(mine)('%s', { timeout: 240_000 }, judgeMutant);
}

async function judgeMutant(name: string, caughtBy: readonly string[]): Promise<void> {
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
  expect(wrongCauses(name, explain(verdicts)), account).toEqual([]);
}
