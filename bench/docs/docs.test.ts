import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readResults } from '../results.ts';
import { charts } from './charts.ts';
import { Book } from './figures.ts';
import { page } from './page.ts';

const docs = new URL('../../docs/', import.meta.url);
const committed = readFileSync(new URL('tradeoffs.md', docs), 'utf8');
const [, file = ''] = /bench\/results\/(\S+\.json)/.exec(committed) ?? [];
const results = readResults(new URL(`../results/${file}`, import.meta.url));
const book = new Book(results);
const drawn = charts(book);

test('the page and its charts are what npm run bench:docs draws from the results they name', () => {
  expect(page(book, drawn, file)).toBe(committed);
  expect(readdirSync(new URL('charts/', docs)).sort()).toEqual(
    drawn.map(({ name }) => `${name}.svg`).sort(),
  );
  for (const { name, svg } of drawn) {
    expect(readFileSync(new URL(`charts/${name}.svg`, docs), 'utf8')).toBe(svg);
  }
});

test('a figure that changes, changes on the page', () => {
  const [first, ...others] = results.questions;
  if (!first) throw new Error('no question was asked');
  const cells = first.cells.map((cell) => ({
    ...cell,
    rounds: cell.rounds.map((round) => ({ ...round, figures: { linesPerSecond: 4321 } })),
  }));
  const changed = new Book({ ...results, questions: [{ ...first, cells }, ...others] });
  expect(page(changed, charts(changed), file)).toContain('4,321');
});

test('what a run did not measure is left out, and the rest still drawn', () => {
  for (const { id } of results.questions) {
    const only = new Book({ ...results, questions: results.questions.filter((q) => q.id === id) });
    const text = page(only, charts(only), file);
    expect(text).not.toMatch(/undefined|NaN|Infinity/);
    expect(text.match(/^## \d\. /gm)).toHaveLength(1);
  }
  const nobody = { ...results, contestants: results.contestants.slice(0, 2) };
  expect(page(new Book(nobody), charts(new Book(nobody)), file)).not.toMatch(/undefined|NaN/);
});

test('a server that was wrong, and what was left out, stand on the page', () => {
  const wrong = [{ contestant: 'snippet', cell: 'echo-50', what: 'byte 64 should begin "a"' }];
  const leftOut = [{ what: 'c-epoll', why: 'there is no C compiler (cc)' }];
  const text = page(new Book({ ...results, wrong, leftOut }), drawn, file);
  expect(text).toContain('**Wrong**: `snippet` in echo-50: byte 64 should begin "a"');
  expect(text).toContain('Left out: c-epoll: there is no C compiler (cc).');
});
