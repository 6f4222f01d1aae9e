/** What two runs prove to differ: runs are made up here, so that it is known. */
import { expect, test } from 'vitest';
import { compare, comparisonText, type Difference } from './compare.ts';
import type { Figures } from './question.ts';
import type { Results } from './results.ts';

/** A run of one question in which `pipe` always does 100. */
function run(figures: readonly Figures[], baseline = 'pipe'): Results {
  const rounds = figures.flatMap((mine, round) => [
    { contestant: 'rxjs', round, figures: mine },
    { contestant: baseline, round, figures: { rate: 100, wait: 100 } },
  ]);
  const measures = [
    { name: 'rate', words: 'rate', unit: 'lines/s', better: 'more' },
    { name: 'wait', words: 'wait', unit: 'µs', better: 'less' },
    { name: 'check', words: 'a check', unit: '', better: 'less' },
  ] as const;
  return {
    format: 1,
    ...{ date: '2026-01-02T03:04:05Z', took: 1, commit: 'abc', dirty: false },
    machine: { cpu: 'a cpu', cores: 2, memory: '1 GiB' },
    ...{ kernel: 'Linux 6', node: 'v20', placement: '' },
    options: { quick: false, rounds: figures.length, warmUp: 0, seconds: 1 },
    contestants: ['rxjs', baseline].map((id) => ({ id, kind: 'model', words: id })),
    ...{ leftOut: [], wrong: [], failed: [] },
    questions: [
      { id: 'q', title: 'Q?', measures, baseline, cells: [{ id: 'c', words: 'c', rounds }] },
    ],
  };
}

const rates = (...all: number[]) => run(all.map((rate) => ({ rate })));
const verdicts = (a: Results, b: Results): Difference['verdict'][] =>
  compare(a, b).flatMap(({ rows }) => rows.map(({ verdict }) => verdict));

test('they differ when their spreads are apart, and their medians far enough', () => {
  expect(verdicts(rates(100, 110, 90), rates(130, 140, 120))).toEqual(['B is better']);
  expect(verdicts(rates(130, 140, 120), rates(100, 110, 90))).toEqual(['B is worse']);
  const waits = (...all: number[]) => run(all.map((wait) => ({ wait })));
  expect(verdicts(waits(100, 110, 90), waits(130, 140, 120))).toEqual(['B is worse']);
});

test.each([
  ['spreads that overlap', rates(100, 125, 90), rates(130, 140, 120)],
  ['medians that are close', rates(100, 101, 102), rates(110, 111, 112)],
  ['two rounds', rates(100, 110), rates(300, 310)],
  [
    'a generator that was always busy',
    run([1, 2, 3].map((x) => ({ rate: 100 + x, saturation: 1 }))),
    rates(300, 310, 320),
  ],
])('nothing can be told from %s', (_, a, b) => {
  expect(verdicts(a, b)).toEqual(['cannot be told']);
});

test('a slower machine is not a difference: ratios are compared', () => {
  const [fast, slow] = [rates(100, 110, 90), rates(100, 110, 90)];
  const halved = slow.questions[0]?.cells[0]?.rounds.map((each) => ({
    ...each,
    figures: { rate: (each.figures.rate ?? 0) / 2 },
  }));
  const [question] = slow.questions;
  if (!question || !halved) throw new Error('there is one question');
  const cells = [{ id: 'c', words: 'c', rounds: halved }];
  expect(verdicts(fast, { ...slow, questions: [{ ...question, cells }] })).toEqual([
    'cannot be told',
  ]);
});

test('the text names both runs, the spreads, and how many figures differ', () => {
  const text = comparisonText(rates(100, 110, 90), rates(130, 140, 120));
  expect(text).toMatch(/^A: 2026-01-02 03:04, commit abc, 3 rounds; a cpu, 2 cores/);
  expect(text).toMatch(
    /rxjs +1\.00 \(0\.90 to 1\.10\) +1\.30 \(1\.20 to 1\.40\) +differs: B is better/,
  );
  expect(text).toContain('1 of 1 figures differ');
  expect(text).not.toContain('Two machines');
  expect(comparisonText(rates(1), { ...rates(2), node: 'v24' })).toMatch(
    /Two machines.*\n\nFewer than 3 rounds/,
  );
});

test('runs with nothing in common, or with other baselines, are not compared', () => {
  const nothing = /no figure in common/;
  expect(() => comparisonText(rates(1), { ...rates(1), questions: [] })).toThrow(nothing);
  expect(() => comparisonText(rates(1), run([{ rate: 1 }], 'c-epoll'))).toThrow(nothing);
});
