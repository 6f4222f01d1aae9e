/** How outcomes are called and drawn, the same in every report. */
import type { Outcome } from '../run.ts';

export const SIGN: Readonly<Record<Outcome, string>> = {
  pass: '✓',
  fail: '✗',
  known: '~',
  stale: '!',
  unsupported: '?',
  harness: '#',
  blocked: '·',
};

export const MEANING: Readonly<Record<Outcome, string>> = {
  pass: 'passed',
  fail: 'failed',
  known: 'known to fail',
  stale: 'known to fail, but passes',
  unsupported: 'cannot be told here',
  harness: 'the check itself broke',
  blocked: 'not run',
};

/** How many of each, in words: `34 passed, 2 failed`. */
export function tally(results: readonly { outcome: Outcome }[]): string {
  const kinds = Object.keys(MEANING) as Outcome[];
  return kinds
    .map(
      (kind) => [results.filter(({ outcome }) => outcome === kind).length, MEANING[kind]] as const,
    )
    .filter(([n]) => n > 0)
    .map(([n, meaning]) => `${n} ${meaning}`)
    .join(', ');
}
