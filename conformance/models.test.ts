/** What is said of the models: what they are declared not to do, and that each of them is judged. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checks } from './checks/index.ts';
import { declarations } from './declarations.ts';
import { SHARES } from './models-share.ts';

test('every declaration names a check', () => {
  const ids = checks.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const declared of Object.values(declarations)) {
    expect(ids).toEqual(expect.arrayContaining(Object.keys(declared)));
  }
});

test('every model is judged', () => {
  const files = readdirSync(new URL('.', import.meta.url));
  const shares = files.flatMap((name) => /^models-(\d+)\.test\.ts$/.exec(name)?.[1] ?? []);
  expect(shares.sort()).toEqual(Array.from({ length: SHARES }, (_, i) => `${i + 1}`));
});
