/**
 * The checks are checked: a mutant is a server with one defect, and just those checks that are declared must
 * catch it. What needs a check that failed is not run, as for anybody.
 *
 * The whole matrix, every check against every mutant, takes far longer than a test run may:
 * `npm run matrix`. `npm run test:slow` runs the part that can go wrong most easily: against each mutant the checks
 * that must catch it (of the slow ones one, and those that no other mutant meets), what those need, and a few
 * others in rotation, which must not.
 */
import { appendFileSync } from 'node:fs';
import { expect, type TestContext, test } from 'vitest';
import { explain } from './causes.ts';
import { checks } from './checks/index.ts';
import { Program } from './contestants.ts';
import { wrongCauses } from './mutants/causes.ts';
import { byChance, mutants, onlyMeasure, slowOnes } from './mutants/index.ts';
import { shareOf } from './shares.ts';
import { isSlow } from './slow-checks.ts';
import { judge } from './suite.ts';

/** Waits that are to fail are shorter: 1.5 s. */
const SLOW_FACTOR = 0.3;

/** The checks that a mutant can fail. */
export const judging = checks.map(({ id }) => id).filter((id) => !onlyMeasure.includes(id));

/** Every check against every mutant, and not a part. */
const isWhole = process.env.MATRIX === 'whole';

/** Where each mutant's failures are noted down, a line of JSON each, to mend the list of mutants by. */
const notes = process.env.MATRIX_NOTES;

/** How many checks that must pass a mutant meets, unless the matrix is whole. */
const OTHERS = 4;

const quick = judging.filter((id) => !isSlow(id));

/** How many slow checks that must catch it a mutant meets, the first of them. The others it does not meet. */
const SLOW_ONES = 1;

/** Whether a check has tried only a part of what it wants to, for want of time, and seen nothing wrong. */
function isPart(outcome: string, message: string): boolean {
  return outcome === 'pass' && /the server is slow|too little to tell|was not tried/.test(message);
}

/** The slow checks that a mutant fails, and meets unless the matrix is whole. */
const slowFirst = (caughtBy: readonly string[]) => caughtBy.filter(isSlow).slice(0, SLOW_ONES);

/** Whether this is the mutant that shows that a check can fail: no other one that fails it meets it otherwise. */
function isItsProof(name: string, id: string): boolean {
  const all = Object.entries(mutants).filter(([, caughtBy]) => caughtBy.includes(id));
  return all[0]?.[0] === name && !all.some(([, caughtBy]) => slowFirst(caughtBy).includes(id));
}

/** A check and all that it needs, directly or not. */
function withNeeds(id: string): readonly string[] {
  const needs = checks.find((check) => check.id === id)?.needs ?? [];
  return [id, ...needs.flatMap(withNeeds)];
}

/** The checks by which a mutant is judged. */
export function selectionFor(name: string, caughtBy: readonly string[]): readonly string[] {
  if (slowOnes[name]) return slowOnes[name];
  if (isWhole) return judging;
  const at = Object.keys(mutants).indexOf(name) * OTHERS;
  const others = Array.from({ length: OTHERS }, (_, i) => quick[(at + i) % quick.length] as string);
  const selected = new Set<string>();
  const isMet = (id: string) =>
    !isSlow(id) || slowFirst(caughtBy).includes(id) || isItsProof(name, id);
  for (const id of [...caughtBy.filter(isMet), ...others]) {
    for (const one of withNeeds(id)) selected.add(one);
  }
  return [...selected];
}

/**
 * Judges one share of the mutants (see `shareOf`), several at a time. Who fails many checks takes long, and
 * starts first.
 */
export function judgeShare(share: number): void {
  const mine = shareOf(Object.entries(mutants), share);
  mine.sort(([, a], [, b]) => b.length - a.length);
  test.concurrent.for(mine)('%s', { timeout: isWhole ? 900_000 : 240_000 }, judgeMutant);
}

async function judgeMutant(
  [name, caughtBy]: readonly [string, readonly string[]],
  { skip }: TestContext,
): Promise<void> {
  const selected = selectionFor(name, caughtBy);
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
  // Without ::1, or where the machine is busy: what cannot be told is not expected to be.
  const untold = verdicts
    .filter(({ outcome, message }) => outcome === 'unsupported' || isPart(outcome, message))
    .map(({ check }) => check.id);
  if (notes) {
    const untoldIds = untold.length > 0 ? { untold } : {};
    const seen = { name, failed: failed.map(({ check }) => check.id), caughtBy, ...untoldIds };
    appendFileSync(notes, `${JSON.stringify({ ...seen, account })}\n`);
  }
  expect(having('harness')).toEqual([]);
  const chance = byChance[name] ?? [];
  // Where a check cannot tell, those that need it are run, and may fail for the same defect.
  const mayFail = (id: string) =>
    chance.includes(id) ||
    (!caughtBy.includes(id) &&
      withNeeds(id).some((need) => caughtBy.includes(need) && untold.includes(need)));
  expect(failed.flatMap(({ check: { id } }) => (mayFail(id) ? [] : [id])).sort(), account).toEqual(
    caughtBy.filter((id) => selected.includes(id) && !untold.includes(id)).sort(),
  );
  // What could not be told of it at all is no proof: a skipped test is seen.
  if (failed.length === 0) skip(`could not be told here: ${untold.join(', ')}`);
  expect(wrongCauses(name, explain(verdicts)), account).toEqual([]);
}
