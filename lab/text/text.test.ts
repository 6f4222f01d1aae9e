/** The lab in a terminal: the lanes by themselves, and the command as a person starts it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { WriteStream } from 'node:tty';
import { expect, test } from 'vitest';
import { nodeCommand } from '../../conformance/node-command.ts';
import { halfALine } from '../lessons/half-a-line.ts';
import type { Fact, Trace } from '../trace.ts';
import { scriptRows, traceRows } from './lanes.ts';
import { isColoured, render } from './terminal.ts';

const root = new URL('../..', import.meta.url);

/** A trace of 100 ms in which everything happens that has a sign. */
const trace: Trace = {
  format: 1,
  lesson: 'drawn',
  model: 'drawn',
  args: [],
  duration: 100,
  names: { A: 'Anna', B: 'Ben' },
  machine: { system: 'Linux', cpu: '', cores: 2, node: 'v20' },
  quality: { looks: 100, longestGap: 1, medianGap: 1, coreWait: 20, lateness: 0 },
  blind: {},
  tasks: [{ id: '1', pid: 7, tid: 7, kind: 'main', number: 1, t: 0 }],
  events: [
    { t: 0, who: 'A', did: 'connect' },
    { t: 0, who: 'A', did: 'connected' },
    { t: 10, who: 'A', did: 'send', text: 'A1\\r\\n', bytes: 4, lines: 1 },
    { t: 20, who: 'B', did: 'connect' },
    { t: 20, who: 'B', did: 'connected' },
    { t: 50, who: 'A', did: 'echo', text: 'A1\\r\\n', line: 1, waited: 40 },
    { t: 60, who: 'A', did: 'send', text: 'hal', bytes: 3, lines: 0 },
    { t: 90, who: 'A', did: 'cut' },
  ],
  facts: [
    state(0, 'waits', 'recv', [{ on: 'A', for: 'input' }]),
    state(10, 'runs'),
    { t: 40, fact: 'delay', task: '1', ms: 10 },
    { t: 20, fact: 'holder', client: 'B', where: 'backlog' },
    state(50, 'waits', 'poll', [
      { on: 'A', for: 'input' },
      { on: 'listener', for: 'input' },
    ]),
    { t: 60, fact: 'holder', client: 'B', where: 'held', tasks: ['1'] },
    { t: 80, fact: 'gap', task: '1', ms: 10 },
  ],
  inside: [
    { t: 20, task: '1', line: 'A1', who: 'A' },
    { t: 50, task: '1' },
  ],
};

function state(
  t: number,
  is: 'waits' | 'runs',
  call?: string,
  on?: Fact extends infer F ? (F extends { on?: infer O } ? O : never) : never,
): Fact {
  return {
    t,
    fact: 'state',
    task: '1',
    state: is,
    ...(call ? { call } : {}),
    ...(on ? { on } : {}),
  };
}

test('a lane for each client and each thread', () => {
  const rows = traceRows(trace, undefined, 34, 100, 100).map((row) =>
    render(row, ['A', 'B'], false),
  );
  expect(rows).toEqual([
    'drawn',
    '  Anna       ──════════▲─┄┄┄┄┄┄×',
    '  Ben            ░░░░░░░░────────',
    '  process    aa##AA//AA····??····',
  ]);
});

test('who watches no client is not drawn as one who waits for whoever comes first', () => {
  const facts = [state(0, 'waits', 'nanosleep', []), state(50, 'waits', 'epoll_wait', [])];
  const rows = traceRows({ ...trace, facts, inside: [] }, undefined, 34, 100, 100);
  expect(render(rows[3] ?? [], ['A', 'B'], false)).toBe(`  process    ${'_'.repeat(20)}`);
});

test('what is not over yet is not drawn, and colour is a client', () => {
  const rows = traceRows(trace, halfALine.number, 34, 100, 30);
  expect(render(rows[0] ?? [], ['A', 'B'], false)).toBe('drawn');
  expect(render(rows[3] ?? [], ['A', 'B'], false)).toBe('  process    aa##AA');
  expect(render(rows[1] ?? [], ['A', 'B'], true)).toBe(
    '\x1b[34m  Anna       \x1b[0m\x1b[34m──════\x1b[0m',
  );
});

test('the script fits into any width', () => {
  for (const columns of [60, 80, 160]) {
    for (const row of scriptRows(halfALine, columns)) {
      expect(render(row, [], false).length).toBeLessThan(columns);
    }
  }
});

test('an act that has no room beside the one before it stands above', () => {
  const rows = scriptRows(halfALine, 76).map((row) => render(row, [], false));
  expect(rows[1]?.trim()).toBe('hal…');
  expect(rows[2]).toMatch(/^Anna +● +hello⏎ +f⏎ +leaves/);
  expect(rows[1]?.indexOf('hal…')).toBeGreaterThan(rows[2]?.indexOf('hello⏎') ?? 0);
});

test('colour only on a terminal that has some, and unless NO_COLOR forbids it', () => {
  const before = { ...process.env };
  delete process.env.NO_COLOR;
  process.env.TERM = 'xterm';
  const terminal = { isTTY: true } as WriteStream;
  expect(isColoured(terminal)).toBe(true);
  expect(isColoured({} as WriteStream)).toBe(false);
  process.env.NO_COLOR = '1';
  expect(isColoured(terminal)).toBe(false);
  process.env = before;
});

async function lab(...args: string[]) {
  const [node = '', ...program] = nodeCommand('lab');
  const child = spawn(node, [...program, ...args], { cwd: root });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** Echoes whatever it receives, at once. */
const NAIVE =
  "require('net').createServer((c) => c.pipe(c).on('error', () => 0)).listen(process.env.PORT, '127.0.0.1')";

test.skipIf(process.platform !== 'linux')(
  'plays a lesson, with a model and with any server',
  async () => {
    const { code, out, err } = await lab(
      '--text',
      'six-pieces',
      'poll-loop',
      '--',
      process.execPath,
      '-e',
      NAIVE,
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^poll-loop +echoes for seven segments: 3$/m);
    expect(out).toMatch(/^ {2}process {4}[ ·?#/]*·+[·?#/]*$/m);
    expect(out).toMatch(/^ {2}poll-loop +One line, after the last piece$/m);
    expect(out).toMatch(/^ {2}\S*node.* +Six pieces$/m);
    expect(out).not.toContain('\x1b');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  },
);

test('what is wrong is said in one line', async () => {
  expect(await lab('--text', 'no-such-lesson')).toEqual({
    code: 2,
    out: '',
    err: expect.stringMatching(
      /^lab: there is no lesson "no-such-lesson"; there are half-a-line, [^\n]+; see --help\n$/,
    ),
  });
});
