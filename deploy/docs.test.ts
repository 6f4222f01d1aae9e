/** docs/beyond-one-machine.md says what was measured, and what is proven. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checks } from '../conformance/checks/index.ts';
import { mutants } from '../conformance/mutants/index.ts';
import { page } from './docs.ts';
import { fallible, hidden } from './verdicts.ts';

test('the tables of the page are those of the files that it names (npx tsx deploy/docs.ts)', () => {
  const text = readFileSync(new URL('../docs/beyond-one-machine.md', import.meta.url), 'utf8');
  expect(page(false)).toBe(text);
});

test('what is said of verdicts names checks and mutants that exist', () => {
  const ids = checks.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(Object.keys(fallible)));
  for (const { mutant, check } of hidden) expect(mutants[mutant]).toContain(check);
});
