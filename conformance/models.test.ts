/** What is said of the models: what they are declared not to do, and that each of them is judged. */
import { expect, test } from 'vitest';
import { checks } from './checks/index.ts';
import { declarations } from './declarations.ts';
import { missingShares } from './shares.ts';

test('every declaration names a check', () => {
  const ids = checks.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const declared of Object.values(declarations)) {
    expect(ids).toEqual(expect.arrayContaining(Object.keys(declared)));
  }
});

test('every model is judged', () => expect(missingShares('models')).toEqual([]));
