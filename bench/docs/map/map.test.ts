/** The map has every model, README.md has the same order, and both files are what the generator writes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readResults } from '../../results.ts';
import { Book } from '../figures.ts';
import { models } from './models.ts';
import { mapPage } from './page.ts';
import { finding, picture, placed } from './picture.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const committed = read('docs/map.md');
const [, file = ''] = /bench\/results\/(\S+?\.json)/.exec(committed) ?? [];
const results = readResults(new URL(`bench/results/${file}`, root));

const order = models.map(({ name }) => name);
/** The folders that belong to the project: `mine` is what a reader may add. */
const folders = readdirSync(new URL('models/', root)).filter(
  (name) => name !== 'mine' && existsSync(new URL(`models/${name}/index.ts`, root)),
);

/** The models in the first column of the tables of a page, a list for each table. */
function tablesOf(page: string): string[][] {
  const tables = page.split('\n\n').filter((part) => part.startsWith('| model |'));
  return tables.map((rows) =>
    [...rows.matchAll(/^\| \[?`([a-z-]+)`/gm)].map(([, name = '']) => name),
  );
}

test('the page and the picture are what npm run bench:docs writes from the results they name', () => {
  expect(mapPage(new Book(results), file, folders)).toBe(committed);
  expect(picture(folders)).toBe(read('docs/map.svg'));
});

test('every model has a row in each table and a place in the picture', () => {
  expect(order).toEqual(expect.arrayContaining(folders));
  expect(tablesOf(committed)).toEqual([order, order]);
  expect([...placed].sort()).toEqual([...order].sort());
  for (const name of folders) expect(finding(folders)).toMatch(new RegExp(` ${name}[,;.]`));
});

test('what the page links to in this repository is there', () => {
  const links = [...committed.matchAll(/\]\((?!http)([^)]+)\)/g)].map(([, path = '']) => path);
  expect(links).toEqual(expect.arrayContaining(folders.map((name) => `../models/${name}`)));
  for (const path of links) {
    expect(existsSync(new URL(path, new URL('docs/', root))), path).toBe(true);
  }
});

test('a model that is not here has a row, but no link, no figure and no place of its own', () => {
  const others = order.filter((name) => name !== 'rxjs');
  const page = mapPage(new Book(results), file, others);
  expect(page).toMatch(/^\| `rxjs` \| 2012 \| .* \| no model here yet \|$/m);
  expect(picture(others)).not.toContain('>rxjs<');
  expect(finding(others)).toMatch(/; elsewhere WebFlux\./);
  expect(picture(order)).toContain('>rxjs<');
});

test('README.md has every model, in the order of the map', () => {
  const tables = tablesOf(read('README.md'));
  expect(tables.length).toBeGreaterThanOrEqual(1);
  for (const names of tables) expect(names).toEqual(order.filter((name) => folders.includes(name)));
});

test('the order is that of the years, each with a source', () => {
  const years = models.map(({ since }) => since);
  expect(years).toEqual(years.toSorted((a, b) => a - b));
  for (const { since, history } of models) {
    expect(history).toContain(`${since}`);
    expect(history).toMatch(/\]\(https?:\/\/\S+\)/);
  }
});

test('a model that is faster beside a crowd by chance has all of its echoes left, and not more', () => {
  const more = structuredClone(results) as typeof results;
  for (const cell of more.questions.find(({ id }) => id === 'growth')?.cells ?? []) {
    for (const { contestant, figures } of cell.rounds) {
      const rate = cell.id === 'growth-0' ? 100 : contestant === 'poll-loop' ? 7 : 130;
      (figures as Record<string, number>).linesPerSecond = rate;
    }
  }
  const page = mapPage(new Book(more), file, order);
  expect(page).toMatch(/`epoll-loop`.* \*\*All\*\* of its echoes a second are left/);
  expect(page).toMatch(/`poll-loop`.* \*\*7 %\*\* of its echoes a second are left/);
});

test('a figure that changes, changes on the page, and one that is missing is not invented', () => {
  const rounds = [{ contestant: 'rxjs', round: 0, figures: { each9000: 43.21 } }];
  const questions = results.questions
    .filter(({ id }) => id === 'idle')
    .map((question) => ({ ...question, cells: [{ id: 'idle', words: '', rounds }] }));
  const page = mapPage(new Book({ ...results, questions }), file, order);
  expect(page).toMatch(/`rxjs`.* \*\*43.2 KiB\*\* of memory for a silent client \|/);
  expect(page.match(/\| not measured yet \|/g)).toHaveLength(order.length - 1);
  expect(page).not.toMatch(/undefined|NaN|Infinity/);
});
