/** Long lists of tests are shared out among several test files: each file is a process, which can use a core. */
import { readdirSync } from 'node:fs';

/** How many files share a list: `NAME-1.test.ts` to `NAME-3.test.ts`. */
const SHARES = 3;

/**
 * The part of a list that one file tests.
 *
 * @param share - 1 to 3
 */
export function shareOf<T>(list: readonly T[], share: number): T[] {
  return list.filter((_, i) => (i % SHARES) + 1 === share);
}

/** The files that should share a list, and have none. None is missing if each part is tested. */
export function missingShares(name: string): string[] {
  const files = readdirSync(new URL('.', import.meta.url));
  return Array.from({ length: SHARES }, (_, i) => `${name}-${i + 1}.test.ts`).filter(
    (file) => !files.includes(file),
  );
}
