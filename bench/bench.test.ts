import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type CellResults, readResults, summarize } from './results.ts';

const directory = mkdtempSync(join(tmpdir(), 'bench-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function bench(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench', ...args], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  return { code, output };
}

test.runIf(process.platform === 'linux')(
  'measures a model and its baseline in turns, and keeps every round',
  async () => {
    const file = join(directory, 'results.json');
    const args = ['--quick', '--only', 'poll-loop', '--workload', 'come-and-go', '--rounds', '2'];
    const { code, output } = await bench(...args, '--json', file);
    expect(output).toMatch(/poll-loop +[\d,]+ +[\d,]+ to [\d,]+ +\d+\.\d\d/);
    expect(code, output).toBe(0);
    const { questions, wrong } = readResults(file);
    expect(wrong).toEqual([]);
    expect(questions[0]?.cells[0]?.rounds.map((each) => each.contestant)).toEqual([
      ...['poll-loop', 'pipe'],
      ...['poll-loop', 'pipe'],
    ]);
  },
);

test('a wrong option is one line, and exit code 2', async () => {
  const answers = await Promise.all([
    bench('--fast'),
    bench('--only', 'nobody'),
    bench('--rounds', '0'),
  ]);
  for (const { code, output } of answers) {
    expect(output).toMatch(/^bench: .+; see --help\n$/);
    expect(code).toBe(2);
  }
});

test('a ratio is that of the same round, and the median of all rounds', () => {
  const round = (contestant: string, round: number, rate: number, limited = false) => ({
    ...{ contestant, round, figures: { rate }, limited },
  });
  // The whole machine is ten times slower in the second round.
  const rounds = [
    ...[round('a', 0, 200), round('base', 0, 100)],
    ...[round('a', 1, 20, true), round('base', 1, 10)],
    ...[round('a', 2, 190), round('base', 2, 95)],
  ];
  const cell: CellResults = { id: 'x', words: 'x', rounds };
  const expected = { median: 190, min: 20, max: 200, ratio: 2, limited: false };
  expect(summarize(cell, 'a', 'rate', 'base')).toEqual(expected);
  expect(summarize(cell, 'a', 'rate', 'nobody')?.ratio).toBeUndefined();
  expect(summarize(cell, 'nobody', 'rate', 'base')).toBeUndefined();
});
