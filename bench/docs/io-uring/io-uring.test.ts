/** The page says what its run proves, and nothing else. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readResults } from '../../results.ts';
import { Book } from '../figures.ts';
import { type Figure, madeUp } from '../made-up.ts';
import { chart } from './chart.ts';
import { comparisons, PAIRS, verdict } from './comparison.ts';
import { ioUringPage } from './page.ts';

const docs = new URL('../../../docs/', import.meta.url);
const committed = readFileSync(new URL('io-uring.md', docs), 'utf8');
const [, file = ''] = /bench\/results\/(\S+?\.json)/.exec(committed) ?? [];

/** A run in which a line over io_uring costs so much of what it costs over epoll. */
function run(share: (language: string, cell: string, round: number) => number, rounds = 5): Book {
  const figure: Figure = (id, { cell, measure, round }) => {
    const pair = PAIRS.find(({ ring }) => ring === id);
    if (!pair || measure !== 'cpuPerLine') return undefined;
    return 20 * share(pair.language, cell, round);
  };
  return new Book(madeUp(figure, rounds));
}

const answerOf = (book: Book) => verdict(comparisons(book));

test('the page is what npm run bench:docs writes from the results it names, and its links lead somewhere', () => {
  const results = readResults(new URL(`../../results/${file}`, import.meta.url));
  expect(ioUringPage(new Book(results), file)).toBe(committed);
  for (const [, to = ''] of committed.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
    expect(existsSync(new URL(to, docs)), to).toBe(true);
  }
});

test('the answer is what the run proves', () => {
  const all = comparisons(run(() => 1)).length;
  expect(answerOf(run(() => 0.8))).toMatch(/^Yes: in every comparison/);
  expect(answerOf(run((language) => (language === 'C' ? 0.8 : 1)))).toMatch(
    new RegExp(`^Sometimes: in ${all / 2} of ${all} comparisons .* less CPU time$`),
  );
  expect(answerOf(run((language) => (language === 'C' ? 0.8 : 1.3)))).toMatch(
    new RegExp(`less CPU time, and more in ${all / 2}$`),
  );
  expect(answerOf(run((_, cell) => (cell === 'echo-1' ? 1.3 : 1)))).toMatch(
    /^Not in this run: it takes more CPU time in 2 of/,
  );
  expect(answerOf(run(() => 1.1))).toMatch(/none of \d+ comparisons proves a difference/);
});

test('a difference that is not the same way in every round, or of too few rounds, is not proven', () => {
  expect(answerOf(run((_language, _cell, round) => (round === 2 ? 1.01 : 0.5)))).toMatch(/^Not/);
  expect(answerOf(run(() => 0.5, 2))).toMatch(/^Not/);
});

test('a figure that changes, changes in the table and in the picture', () => {
  const book = run((language, cell) => (language === 'C' && cell === 'echo-50' ? 0.615 : 1));
  const text = ioUringPage(book, file);
  expect(text).toMatch(/^\| 50 clients, 64 bytes \| 20 µs \| 12.3 µs \| \*\*0.61\*\* \|/m);
  expect(chart(comparisons(book))).toContain('50 clients, 64 bytes: C 0.61, TypeScript 1.00');
});

test('what a run did not measure is left out', () => {
  const all = madeUp(() => undefined);
  const without = (id: string) =>
    new Book({ ...all, contestants: all.contestants.filter((each) => each.id !== id) });
  for (const { id } of all.questions) {
    const book = new Book({ ...all, questions: all.questions.filter((q) => q.id === id) });
    expect(ioUringPage(book, file)).not.toMatch(/undefined|NaN|Infinity/);
  }
  expect(ioUringPage(new Book({ ...all, questions: [] }), file)).toContain('did not compare them');
  expect(ioUringPage(without('c-io-uring'), file)).not.toMatch(/undefined|NaN|Infinity/);
});
