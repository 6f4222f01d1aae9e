import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { questions } from './questions/index.ts';
import {
  type CellResults,
  isLimited,
  partsOf,
  quotients,
  readResults,
  summarize,
} from './results.ts';
import { whyNoCount } from './system-calls.ts';
import { tables } from './table.ts';

const directory = mkdtempSync(join(tmpdir(), 'bench-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

const bench = (...args: string[]) => benchIn(process.env, ...args);

async function benchIn(env: NodeJS.ProcessEnv, ...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench', ...args], {
    cwd: new URL('..', import.meta.url),
    env,
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
    const args = ['--quick', '--only', 'poll-loop', '--workload', 'echo', '--rounds', '2'];
    const { code, output } = await bench(...args, '--json', file);
    expect(output).toMatch(/poll-loop +[\d,]+ +[\d,]+ to [\d,]+ +\d+\.\d\d/);
    expect(code, output).toBe(0);
    const { questions, wrong } = readResults(file);
    expect(wrong).toEqual([]);
    expect(questions[0]?.cells[0]?.rounds.map((each) => each.contestant)).toEqual([
      ...['poll-loop', 'pipe'],
      ...['poll-loop', 'pipe'],
    ]);
    for (const { figures } of questions[0]?.cells[0]?.rounds ?? []) {
      expect(figures.cpuPerLine).toBeGreaterThan(0);
    }
  },
);

test.runIf(process.platform === 'linux')(
  'measures any command, which is told its port',
  async () => {
    const args = ['--quick', '--only', 'pipe', '--workload', 'echo', '--rounds', '1'];
    const command = ['node', 'examples/echo.mjs'];
    const file = join(directory, 'command.json');
    const { code, output } = await bench(...args, '--json', file, '--', ...command);
    expect(output).toMatch(/^ +echo\.mjs +[\d,]+ +[\d,]+ to [\d,]+ +\d+\.\d\d/m);
    expect(code, output).toBe(0);
    const yours = { id: 'echo.mjs', kind: 'command', words: 'node examples/echo.mjs' };
    expect(readResults(file).contestants).toContainEqual(yours);
  },
);

test.runIf(process.platform === 'linux')(
  'asks about long lines, of any command as well',
  async () => {
    const file = join(directory, 'sizes.json');
    const args = ['--quick', '--only', 'epoll-loop', '--workload', 'sizes', '--rounds', '1'];
    const { code, output } = await bench(
      ...args,
      '--json',
      file,
      '--',
      'node',
      'examples/echo.mjs',
    );
    expect(code, output).toBe(0);
    const { cells } = readResults(file).questions[0] ?? {};
    expect(cells?.map(({ words }) => words)).toEqual(['50 clients, lines of 16 KiB']);
    const rounds = cells?.[0]?.rounds ?? [];
    expect(rounds.map((each) => each.contestant)).toEqual(['epoll-loop', 'pipe', 'echo.mjs']);
    for (const { figures } of rounds) {
      const { megabytesPerSecond = 0, linesPerSecond = 0, cpuPerLine } = figures;
      expect((megabytesPerSecond * 1e6) / linesPerSecond).toBeCloseTo(16_384, -1);
      expect(cpuPerLine).toBeGreaterThan(0);
    }
  },
);

const why = await whyNoCount();

test.skipIf(why)(
  `counts the system calls of a line, and names the most frequent${why ? ` (skipped: ${why})` : ''}`,
  async () => {
    const file = join(directory, 'calls.json');
    const args = ['--quick', '--only', 'epoll-loop', '--workload', 'calls', '--rounds', '1'];
    const { code, output } = await bench(...args, '--json', file);
    expect(code, output).toBe(0);
    expect(output).toContain('strace counts them, and slows the server down');
    expect(output).toMatch(/^ +epoll-loop +[23]\.\d\d .* {2}(recvfrom|sendto) 1\.00, (\w+) \d/m);
    const [question] = readResults(file).questions;
    const [round] = question?.cells[0]?.rounds ?? [];
    const { calls = 0, ...rest } = round?.figures ?? {};
    // One recv(2), one send(2), and at most one epoll_wait(2) for a line; and what Node does besides.
    expect(rest['calls.recvfrom']).toBeCloseTo(1, 1);
    expect(rest['calls.sendto']).toBeCloseTo(1, 1);
    expect(calls).toBeGreaterThan(2);
    expect(calls).toBeLessThan(3.5);
  },
);

test.runIf(process.platform === 'linux')(
  'where system calls cannot be counted, it says why, and asks the other questions',
  async () => {
    const run = ['--quick', '--only', 'pipe', '--workload', 'calls,echo', '--rounds', '1'];
    const args = [...run, '--json', join(directory, 'no-calls.json')];
    const title = 'left out: “How many system calls does an echo take?”: ';
    const none = await benchIn({ ...process.env, PATH: directory }, ...args);
    expect(none.output).toContain(`${title}there is no strace\n`);
    expect(none.code, none.output).toBe(0);
    // A strace that may not attach, as where kernel.yama.ptrace_scope is 1.
    const folder = join(directory, 'refused');
    mkdirSync(folder);
    const refusal = 'strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted';
    writeFileSync(join(folder, 'strace'), `#!/bin/sh\necho '${refusal}' >&2\nexit 1\n`);
    chmodSync(join(folder, 'strace'), 0o755);
    const refused = await benchIn({ ...process.env, PATH: `${folder}:/bin` }, ...args);
    expect(refused.output).toContain(`${title}strace may not attach`);
    const { leftOut, questions } = readResults(args.at(-1) as string);
    expect(leftOut.map(({ why }) => why).join()).toContain('strace may not attach');
    expect(questions.map(({ id }) => id)).toEqual(['echo']);
  },
);

test('bench/README.md has all questions, in their order', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const rows = questions.map(({ id, title }) => `| \`${id}\` | ${title} |\n`);
  expect(readme).toContain(rows.join(''));
});

test('an invalid option prints one line and exits with 2', async () => {
  const answers = await Promise.all([
    bench('--fast'),
    bench('--only', 'nobody'),
    bench('--rounds', '0'),
    bench('--quick', '--'),
    bench('--compare', 'a.json'),
  ]);
  for (const { code, output } of answers) {
    expect(output).toMatch(/^bench: .+; see --help\n$/);
    expect(code).toBe(2);
  }
});

test('files that cannot be compared are named in one line, and the exit code is 1', async () => {
  const answers = await Promise.all([
    bench('--compare', 'nowhere.json', 'nowhere.json'),
    bench('--compare', 'package.json', 'package.json'),
  ]);
  expect(answers[0]?.output).toBe('bench: there is no file nowhere.json\n');
  expect(answers[1]?.output).toMatch(/^bench: package\.json is not a results file .*\n$/);
  for (const { code } of answers) expect(code).toBe(1);
});

test('a ratio is that of the same round, and the median of all rounds', () => {
  const round = (contestant: string, round: number, rate: number) => ({
    ...{ contestant, round, figures: { rate } },
  });
  // The whole machine is ten times slower in the second round.
  const rounds = [
    ...[round('a', 0, 200), round('base', 0, 100)],
    ...[round('a', 1, 20), round('base', 1, 10)],
    ...[round('a', 2, 190), round('base', 2, 95)],
  ];
  const cell: CellResults = { id: 'x', words: 'x', rounds };
  const expected = {
    rounds: 3,
    median: 190,
    min: 20,
    max: 200,
    ratio: 2,
    ...{ limited: false, baselineLimited: false },
  };
  expect(summarize(cell, 'a', 'rate', 'base')).toEqual(expected);
  expect(summarize(cell, 'a', 'rate', 'nobody')?.ratio).toBeUndefined();
  expect(summarize(cell, 'nobody', 'rate', 'base')).toBeUndefined();
});

test('a quotient of two cells is that of the same round', () => {
  const cell = (...rates: number[]): CellResults => ({
    id: 'x',
    words: 'x',
    rounds: rates.map((rate, round) => ({ contestant: 'a', round, figures: { rate } })),
  });
  expect(quotients(cell(50, 100, 200), cell(100, 50, 400), 'a', 'rate')).toEqual([0.5, 2, 0.5]);
  expect(quotients(cell(50), cell(100), 'nobody', 'rate')).toEqual([]);
  expect(quotients(cell(50), cell(), 'a', 'rate')).toEqual([]);
});

test('a rate is limited by a generator that was always busy, a latency by one that was late', () => {
  expect(isLimited('rate', { rate: 5, saturation: 0.94 })).toBe(false);
  expect(isLimited('rate', { rate: 5, saturation: 0.95, ownLag: 0 })).toBe(true);
  const waits = { p50: 100, p99: 1000, saturation: 0.5, ownLag: 499, ownLagMedian: 49 };
  expect(isLimited('p50', waits)).toBe(false);
  expect(isLimited('p99', waits)).toBe(false);
  expect(isLimited('p99', { ...waits, ownLag: 500 })).toBe(true);
  expect(isLimited('p50', { ...waits, ownLag: 500 })).toBe(false);
  expect(isLimited('p50', { ...waits, ownLagMedian: 50 })).toBe(true);
  expect(isLimited('p50', { ...waits, saturation: 0.95 })).toBe(true);
});

test('the parts of a figure come with the largest first; one that is missing in a round counts as 0 there', () => {
  const round = (round: number, figures: Record<string, number>) => ({
    ...{ contestant: 'a', round, figures: { calls: 2, ...figures } },
  });
  const rounds = [
    round(0, { 'calls.read': 1 }),
    round(1, { 'calls.read': 1, 'calls.futex': 0.2 }),
    round(2, { 'calls.read': 1, 'calls.futex': 0.4, 'calls.poll': 3 }),
    { contestant: 'b', round: 0, figures: { 'calls.accept': 9 } },
  ];
  const cell = { id: 'x', words: 'x', rounds };
  expect(partsOf(cell, 'a', 'calls')).toEqual([
    { name: 'read', median: 1 },
    { name: 'futex', median: 0.2 },
    { name: 'poll', median: 0 },
  ]);
  const measures = [{ name: 'calls', words: 'calls', unit: 'per line', better: 'less' } as const];
  const question = { id: 'q', title: 'Q?', note: 'Note.', measures, baseline: 'a', cells: [cell] };
  expect(tables(question, [{ id: 'a', kind: 'model', words: 'a' }])).toBe(
    [
      '\nQ?\nNote.\n\n  x: calls, per line',
      '      median   spread   ratio to a   of which',
      '  a        2   2 to 2   1.00         read 1.00, futex 0.20',
    ].join('\n'),
  );
});

test('what was limited in half of the rounds is marked, and so is a ratio to it', () => {
  const round = (contestant: string, round: number, saturation: number) => ({
    ...{ contestant, round, figures: { rate: 100, saturation } },
  });
  const rounds = [
    ...[round('a', 0, 0.5), round('base', 0, 1)],
    ...[round('a', 1, 0.5), round('base', 1, 0.5)],
  ];
  const cell: CellResults = { id: 'x', words: 'x', rounds };
  const marks = (id: string) => summarize(cell, id, 'rate', 'base');
  expect(marks('a')).toMatchObject({ limited: false, baselineLimited: true });
  expect(marks('base')).toMatchObject({ limited: true, baselineLimited: true });
});
