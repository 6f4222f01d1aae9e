/** The page and its pictures: what is on them is what the results file says, and the committed ones are up to date. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readResults } from '../results.ts';
import { type Chart, charts } from './charts.ts';
import type { Row } from './dot-chart.ts';
import { Book } from './figures.ts';
import { type Figure, MODELS, madeUp } from './made-up.ts';
import { page } from './page.ts';
import { sections } from './sections/index.ts';
import { summaryOf } from './summary.ts';
import { movedTo, whatIsMissing } from './target.ts';

const docs = new URL('../../docs/', import.meta.url);
const committed = readFileSync(new URL('tradeoffs.md', docs), 'utf8');
const [, file = ''] = /bench\/results\/(\S+?\.json)/.exec(committed) ?? [];
const results = readResults(new URL(`../results/${file}`, import.meta.url));
const book = new Book(results);
const drawn = charts(book);

/** A run in which everybody differs, in every figure, and from round to round. */
const various: Figure = (id, { cell, measure, round }) =>
  (1 + MODELS.indexOf(id)) * 7.3 + cell.length + measure.length + round * 0.7 + 10;
const variousBook = new Book(madeUp(various));

const withoutDetails = (text: string) => text.replace(/<details>[\s\S]*?<\/details>/g, '');
const words = (text: string) => withoutDetails(text).split(/\s+/).filter(Boolean).length;

test('the page and its charts are what npm run bench:docs draws from the results they name', () => {
  expect(page(book, drawn, file)).toBe(committed);
  expect(readdirSync(new URL('charts/', docs)).sort()).toEqual(
    drawn.map(({ name }) => `${name}.svg`).sort(),
  );
  for (const { name, svg } of drawn) {
    expect(readFileSync(new URL(`charts/${name}.svg`, docs), 'utf8')).toBe(svg);
  }
});

test('without its tables the page has less than 2,000 words, and begins with the choice in ten lines', () => {
  const long = page(variousBook, charts(variousBook), file);
  for (const text of [committed, long]) {
    expect(words(text)).toBeLessThan(2000);
    const [, , first = ''] = text.split('\n\n');
    expect(first.split('\n')).toHaveLength(10);
  }
});

test('each section has a heading, a guess, one picture, the mechanism, what not to conclude, and its tables', () => {
  const text = page(variousBook, charts(variousBook), file);
  const sections = text.split(/^## /m).slice(1, 9);
  expect(sections).toHaveLength(8);
  for (const section of sections) {
    expect(section.match(/!\[[^\]]{40,}\]\(charts\/[a-z-]+\.svg\)/g)).toHaveLength(1);
    expect(section.match(/^\*\*Guess:\*\* /gm)).toHaveLength(1);
    expect(section.match(/^\*\*But:\*\* /gm)).toHaveLength(1);
    expect(section.match(/<details>/g)).toHaveLength(1);
  }
});

test('a figure that changes, changes on the page and in its picture', () => {
  const changed: Figure = (id, place) =>
    id === 'rxjs' && place.measure === 'cpuPerLine' ? 432.1 : various(id, place);
  const other = new Book(madeUp(changed));
  const echo = charts(other).find(({ name }) => name === 'echo');
  expect(page(other, [], file)).toContain('432 µs');
  expect(echo?.svg).toContain('432 µs');
});

test('what a run did not measure is left out, and the rest still drawn', () => {
  const all = madeUp(various);
  for (const { question } of sections) {
    const only = new Book({ ...all, questions: all.questions.filter((q) => q.id === question) });
    const text = page(only, charts(only), file);
    expect(text).not.toMatch(/undefined|NaN|Infinity/);
    expect(text.match(/^\*\*Guess:\*\* /gm)).toHaveLength(1);
  }
  const nobody = new Book({ ...all, contestants: all.contestants.slice(0, 2) });
  expect(page(nobody, charts(nobody), file)).not.toMatch(/undefined|NaN|Infinity/);
  const nothing = new Book({ ...all, questions: [] });
  expect(page(nothing, charts(nothing), file)).not.toMatch(/undefined|NaN|Infinity|^!\[/m);
});

test('a question that the page has no section for does not change it', () => {
  const [question] = results.questions;
  if (!question) throw new Error('there are questions');
  const more = new Book({
    ...results,
    questions: [...results.questions, { ...question, id: 'new', note: 'What to know.' }],
  });
  expect(page(more, charts(more), file)).toBe(committed);
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

describe.each([
  ['the committed run', book],
  ['a run that is made up', variousBook],
])('in the pictures of %s', (_, of) => {
  const all = charts(of).filter(({ rows }) => rows.length > 0);
  const text = page(of, all, file);
  /** The part of the page that has the picture. */
  const sectionOf = ({ name }: Chart) =>
    text.split(/^## /m).find((part) => part.includes(`charts/${name}.svg`)) ?? '';
  /** The text elements and the large dots of a picture. */
  const textsOf = ({ svg }: Chart) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, t]) => t);
  const dotsOf = ({ svg }: Chart) =>
    [...svg.matchAll(/<circle [^>]*r="5" cy="([\d.]+)" cx="([\d.]+)"/g)].map(([, y, x]) => ({
      x: Number(x),
      y: Number(y),
    }));
  /** Rows from the top to the bottom: the best first. */
  const sorted = ({ rows, better }: Chart) =>
    [...rows].sort((a, b) => (better === 'less' ? a.value - b.value : b.value - a.value));

  test('every figure equals that of the table', () => {
    for (const chart of all) {
      expect(chart.rows.length).toBeGreaterThan(1);
      for (const { name, label } of chart.rows) {
        const row = sectionOf(chart)
          .split('\n')
          .filter((line) => line.startsWith(`| \`${name}\` |`))
          .join();
        expect(row.replaceAll('**', '')).toContain(`| ${label} (`.replace(/ \($/, ''));
        expect(textsOf(chart).some((text) => text?.startsWith(label))).toBe(true);
      }
    }
  });

  test('every dot is where its figure is on a logarithmic scale, the best on top and furthest right', () => {
    for (const chart of all) {
      // What has no place on the scale comes first, or last.
      const isOn = ({ value }: Row) => value > 0;
      const rows = sorted(chart).filter(isOn);
      expect(dotsOf(chart)).toHaveLength(chart.rows.length);
      const dots = dotsOf(chart).filter((_, i) => isOn(sorted(chart)[i] as Row));
      const logs = rows.map(({ value }) => Math.log(value));
      const [first, last] = [dots[0], dots.at(-1)];
      const [from = 0, to = 0] = [logs[0], logs.at(-1)];
      if (!first || !last) throw new Error('there are dots');
      expect(first.y).toBeLessThan(last.y);
      expect(first.x).toBeGreaterThanOrEqual(last.x);
      if (from === to) continue;
      dots.forEach(({ x }, i) => {
        const share = ((logs[i] ?? 0) - from) / (to - from);
        expect(x).toBeCloseTo(first.x + share * (last.x - first.x), 0);
      });
    }
  });

  test('every name is beside its dot, and nothing is outside the picture', () => {
    for (const chart of all) {
      const names = sorted(chart).map(({ name }) => name);
      const at = [...chart.svg.matchAll(/<text[^>]*translate\(([\d.]+),([\d.]+)\)[^>]*>([^<]*)</g)];
      const yOf = (name: string) => Number(at.find(([, , , text]) => text === name)?.[2]);
      const dots = dotsOf(chart);
      names.forEach((name, i) => {
        expect(yOf(name)).toBeCloseTo(dots[i]?.y ?? 0, 0);
      });
      const width = Number(/width="(\d+)"/.exec(chart.svg)?.[1]);
      for (const { x } of dots) expect(x).toBeLessThan(width - 60);
    }
  });

  test('the summary has the quotients of the medians', () => {
    const summary = summaryOf(of);
    for (const { model, factor, column } of summary?.cells ?? []) {
      if (summary?.columns[column]?.[0] !== 'an echo,') continue;
      const at = (id: string) => of.figure('echo', 'echo-50', 'cpuPerLine', id)?.median;
      const least = Math.min(...MODELS.map((id) => at(id) ?? Number.POSITIVE_INFINITY));
      const own = at(model);
      expect(factor).toBe(own === undefined ? undefined : own / least);
    }
  });
});

test('a picture names what it has: baselines where there are some, and what cores can do at most', () => {
  const [work, echo] = ['work', 'echo'].map((name) => drawn.find((one) => one.name === name)?.svg);
  expect(echo).toContain('Grey: baselines.');
  expect(work).not.toContain('Grey: baselines.');
  expect(work).toMatch(/>one core<[\s\S]*>2 cores</);
  const alone = new Book({ ...results, machine: { ...results.machine, cores: 1 } });
  const of1 = charts(alone).find(({ name }) => name === 'work')?.svg;
  expect(of1?.match(/>(one core|\d+ cores)</g)).toEqual(['>one core<']);
});

test('an alternative text names the one that the others are compared with', () => {
  const title = drawn.find(({ name }) => name === 'echo')?.title;
  expect(title).toMatch(/: io-uring [\d.]+ µs; epoll-loop [\d.]+ µs; events [\d.]+ µs; the others/);
});

test('what has no place on the scale is marked', () => {
  const nothing: Figure = (id, { cell, measure, round }) =>
    id === 'io-uring' && cell === 'idle' ? -0.1 : various(id, { cell, measure, round });
  const [idle] = charts(new Book(madeUp(nothing))).filter(({ name }) => name === 'idle');
  expect(idle?.svg).toContain('>-0.10 KiB (off the scale)<');
  const once: Figure = (id, place) =>
    id === 'io-uring' && place.cell === 'idle' && place.round === 0 ? -0.1 : various(id, place);
  const [cut] = charts(new Book(madeUp(once))).filter(({ name }) => name === 'idle');
  expect(cut?.svg).toMatch(/>[\d.]+ KiB \(line cut off\)</);
});

describe('where the pages of a run are written', () => {
  const all = { questions: results.questions.map(({ id }) => id), models: ['rxjs'] };
  const full = { ...results, options: { ...results.options, quick: false } };

  test('a run that is not full is not drawn over docs/', () => {
    expect(whatIsMissing(full, all)).toBeUndefined();
    expect(whatIsMissing({ ...full, options: { ...full.options, quick: true } }, all)).toBe(
      'a quick run',
    );
    expect(whatIsMissing({ ...full, questions: full.questions.slice(1) }, all)).toBe(
      `a run without the question ${full.questions[0]?.id}`,
    );
    expect(whatIsMissing(full, { ...all, models: ['rxjs', 'mine'] })).toBe('a run without mine');
    const yours = { id: 'echo.py', kind: 'command', words: 'python3 echo.py' } as const;
    expect(whatIsMissing({ ...full, contestants: [...full.contestants, yours] }, all)).toBe(
      'a run with another server',
    );
  });

  test('and the links of such a page still lead where they led', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const run = path.join(root, 'bench/results/run.json');
    const text =
      '[a](../bench/README.md) [run](../bench/results/run.json) [map](map.md) [m](../models/rxjs)';
    expect(movedTo(path.join(root, 'bench/results/run'), run, text)).toBe(
      '[a](../../README.md) [run](../run.json) [map](map.md) [m](../../../models/rxjs)',
    );
    expect(movedTo(path.join(root, 'docs'), run, text)).toBe(text);
  });
});
