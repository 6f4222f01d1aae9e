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
  const failed = [{ contestant: 'rxjs', cell: 'idle', what: 'the server has ended' }];
  const text = page(new Book({ ...results, wrong, failed, leftOut }), drawn, file);
  expect(text).toContain('- Not measured: `rxjs` in idle: the server has ended');
  expect(text).toContain('**Wrong**: `snippet` in echo-50: byte 64 should begin "a"');
  expect(text).toContain('Left out: c-epoll: there is no C compiler (cc).');
});

test('nothing is said about this run that this run has not measured', () => {
  const without = (question: string) =>
    new Book({ ...results, questions: results.questions.filter(({ id }) => id !== question) });
  const guideOf = (some: Book) => page(some, [], file).split('## Which model')[1];
  expect(guideOf(book)).toMatch(/In this run, .* had the most echoes/);
  expect(guideOf(book)).toMatch(/In this run, .* answered the most lines/);
  expect(guideOf(without('echo'))).not.toMatch(/most echoes|bare `node:net`/);
  expect(guideOf(without('work'))).not.toMatch(/answered the most|waits? the least/);
  expect(page(without('work'), [], file)).not.toContain('And when a line costs CPU?');

  const contestants = results.contestants.filter(({ id }) => ['rxjs', 'c-epoll'].includes(id));
  const oneModel = new Book({ ...results, contestants });
  expect(guideOf(oneModel)).not.toContain('In this run, `');
});

/** A book of one cell with the medians that are given, `pipe` at 1000. */
function echoes(figures: Record<string, number>): Book {
  const rounds = Object.entries({ ...figures, pipe: 1000 }).map(([contestant, linesPerSecond]) => ({
    contestant,
    round: 0,
    figures: { linesPerSecond },
  }));
  const [first] = results.questions.filter(({ id }) => id === 'echo');
  if (!first) throw new Error('the echo was not measured');
  const cells = [{ id: 'echo-50', words: '50 clients', rounds }];
  return new Book({ ...results, questions: [{ ...first, cells } as typeof first] });
}

test('whoever is within the margin of the best is bold, too, and a baseline never is', () => {
  const text = page(
    echoes({ cluster: 2000, 'poll-loop': 1800, rxjs: 1700, 'c-epoll': 2100 }),
    [],
    file,
  );
  expect(text).toContain('| `cluster` | **2,000 (2.00)** |');
  expect(text).toContain('| `poll-loop` | **1,800 (1.80)** |');
  expect(text).toContain('| `rxjs` | 1,700 (1.70) |');
  expect(text).toContain('| `c-epoll` | 2,100 (2.10) |');
  expect(text).toContain(
    'In this run, `poll-loop` and `cluster` (within 15 % of each other) had the most echoes',
  );
});

test('two that are level are not said to differ', () => {
  expect(page(echoes({ rxjs: 1120 }), [], file)).toContain('level with bare `node:net` (1.12)');
  expect(page(echoes({ rxjs: 600 }), [], file)).toContain(
    'it did 0.60 of what bare `node:net` did',
  );
});

test('better or worse is only what is so in every round', () => {
  const text = page(echoes({ rxjs: 600, cluster: 2000 }), [], file);
  expect(text).toMatch(/\| `rxjs`.* \| – \| echoes\/s, 50 clients: \*\*0\.60\*\* \|/);
  expect(text).toMatch(/\| `cluster`.* \| echoes\/s, 50 clients: \*\*2\.00\*\* \| – \|/);
  const [question] = echoes({ rxjs: 600 }).results.questions;
  if (!question) throw new Error('the echo was not measured');
  const once = question.cells.flatMap(({ rounds }) => rounds);
  const again = once.map((each) => ({ ...each, round: 1 }));
  const otherwise = once.map(({ contestant }) => ({
    ...{ contestant, round: 2 },
    figures: { linesPerSecond: contestant === 'pipe' ? 1000 : 1001 },
  }));
  const cells = [{ id: 'echo-50', words: '50 clients', rounds: [...once, ...again, ...otherwise] }];
  const mixed = new Book({ ...results, questions: [{ ...question, cells } as typeof question] });
  expect(page(mixed, [], file)).toMatch(/\| `rxjs`.* \| – \| – \|/);
});
