/** `npx tsx conformance`, from outside: what it says, what it writes, how it ends. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { checks } from './checks/index.ts';
import { nodeCommand } from './node-command.ts';
import { ServerProcess } from './server-process.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'conformance-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string) => path.join(directory, name);

async function conformance(args: readonly string[], signalAfter?: string) {
  const [node = '', ...program] = nodeCommand('conformance');
  const child = spawn(node, [...program, ...args], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, NO_COLOR: '1' },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
    if (signalAfter && out.includes(signalAfter)) {
      child.kill('SIGINT');
      signalAfter = undefined;
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, out, err };
}

/** A port that was free a moment ago, and that the kernel gives to nobody of its own accord. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return port;
  }
}

/** The command that starts a mutant on a port of its own. */
async function mutant(name: string): Promise<string[]> {
  const command = [...nodeCommand(`conformance/mutants/${name}.ts`), '--port', '{port}'];
  return ['--port', String(await freePort()), '--', ...command];
}

describe('a wrong command line is one line, and exit 2', () => {
  test.concurrent.each([
    [['--no-such'], /Unknown option '--no-such'/],
    [['no-such'], /no model "no-such": there are [a-z-]+, /],
    [['python3', 'echo.py'], /a command comes after --: -- python3 echo\.py/],
    [['--', ''], /no command after --/],
    [['--only', 'no/such'], /no check matches "no\/such"/],
    [['--only', 'framing/*', '--skip', '*'], /no check is left/],
    [['--level', 'high'], /--level takes must, should or info/],
    [['--report', 'pdf=x'], /--report takes KIND=FILE/],
    [['--report', 'html'], /--report takes KIND=FILE/],
    [['--slow-factor', '0'], /--slow-factor takes a number above 0/],
    [['--connect', 'nowhere'], /--connect takes HOST:PORT/],
    [['--connect', '127.0.0.1:99999'], /a port is a whole number/],
    [['--port', '1'], /--port and --ready-timeout go with a command/],
    [['rxjs', '--connect', '127.0.0.1:1'], /one of them/],
    [['--'], /no command after --/],
    [['--port', '28765', '--', 'no-such-command'], /cannot start no-such-command: ENOENT/],
    [['--known', '/no/such/file'], /cannot read \/no\/such\/file: ENOENT/],
  ])('%j', async (args, message) => {
    const { code, out, err } = await conformance(args);
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
    expect(out.split('\n').length).toBeLessThanOrEqual(2); // the heading of what was to be judged
  });
});

test('--help, --version and --list', async () => {
  expect((await conformance(['--help'])).out).toContain('Usage: npx tsx conformance');
  expect((await conformance(['--version'])).out).toMatch(/^conformance \d+\.\d+\.\d+\n$/);
  const { out, code } = await conformance(['--list', '--only', 'framing/*']);
  expect(code).toBe(0);
  expect(out).toContain('framing/one-line  (must)');
  expect(out).not.toContain('resets/');
});

test('a right server fulfils the task, and all reports are written', async () => {
  const kinds = ['html', 'json', 'junit', 'tap', 'markdown'];
  const reports = kinds.flatMap((kind) => ['--report', `${kind}=${file(kind)}`]);
  const { code, out, err } = await conformance(['rxjs', '--only', 'framing/*', ...reports]);
  expect(out, err).toMatch(/fulfils 7 of \d+ must-checks: the others were not asked\n$/);
  expect(code).toBe(0);
  const report = JSON.parse(readFileSync(file('json'), 'utf8'));
  const schema = readFileSync(new URL('report.schema.json', import.meta.url), 'utf8');
  const validate = new Ajv2020({ strict: true, validateFormats: false }).compile(
    JSON.parse(schema),
  );
  expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  const { results } = report.servers[0];
  expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
    results.map(() => 'pass'),
  );
  expect(readFileSync(file('tap'), 'utf8')).toContain(`1..${results.length}\nok 1 - rxjs:`);
  expect(readFileSync(file('junit'), 'utf8')).toContain(`tests="${results.length}" failures="0"`);
  expect(readFileSync(file('html'), 'utf8')).not.toContain('<script');
  expect(readFileSync(file('markdown'), 'utf8')).toContain('| `framing/one-line` | must | ✓ |');
});

test('a wrong one does not; what it did, what was expected and how to see it again are told', async () => {
  const { code, out } = await conformance([
    ...['--only', 'framing/*', '--report', `json=${file('wrong.json')}`],
    ...(await mutant('echoes-chunks')),
  ]);
  expect(code).toBe(1);
  expect(out).toMatch(/does not: 1 of 7 must-checks failed; 3 should-checks failed\n$/);
  expect(out).toContain(
    '  begin with framing/partial-line-is-held (3 more may have the same cause)\n',
  );
  expect(out).toContain('but      the line is not complete yet, but "par" came');
  expect(out).toContain('does it echo whatever recv returned, complete or not?');
  expect(out).toMatch(
    /again {4}npx tsx conformance --port \d+ --only framing\/partial-line-is-held -- /,
  );
});

test('what needs a check that failed is blocked', async () => {
  const { code, out } = await conformance([
    ...['--only', 'framing/*'],
    ...(await mutant('greets')),
  ]);
  expect(code).toBe(1);
  const others = checks.filter(({ id }) => id.startsWith('framing/') && id !== 'framing/one-line');
  expect(out).toContain(`${others.length} checks not run: they need framing/one-line`);
  expect(out).toMatch(/expected "hello\\r\\n"\n +got {6}"Welcome"/);
});

test('a server that dies is blamed in that check, and started again', async () => {
  const { code, out } = await conformance([
    ...['--only', 'framing/one-line', '--only', 'resets/mid-*', '--only', 'resets/connect-*'],
    ...(await mutant('dies-of-a-reset')),
  ]);
  expect(out).toContain('the server died in this check: it ended with exit code 1; it said last:');
  expect(out).toContain('ECONNRESET');
  expect(out).not.toContain('not run');
  // Resets are no part of the task.
  expect(out).toMatch(/fulfils 1 of \d+ must-checks: .*; 3 should-checks failed\n$/);
  expect(code).toBe(0);
});

test('--level should: what the protocol adds decides, too', async () => {
  const { code } = await conformance([
    ...['--only', 'framing/one-line', '--only', 'framing/lone-*', '--level', 'should'],
    ...(await mutant('splits-at-bare-lf')),
  ]);
  expect(code).toBe(1);
});

test('--known: a listed failure is no failure, a listed pass is', async () => {
  writeFileSync(file('known'), '# what we know\nframing/lone-lf-is-a-byte  # readline\n');
  const only = ['--only', 'framing/one-line', '--only', 'framing/lone-lf*', '--level', 'should'];
  const known = ['--known', file('known')];
  const excused = await conformance([...only, ...known, ...(await mutant('splits-at-bare-lf'))]);
  expect(excused.out).toContain('~ framing/lone-lf-is-a-byte known to fail: readline');
  expect(excused.code).toBe(0);
  const stale = await conformance([...only, ...known, 'rxjs']);
  expect(stale.out).toContain('listed as failing (readline), but it passes');
  expect(stale.code).toBe(1);
});

test('--connect: a server that runs goes on running', async () => {
  const server = await ServerProcess.start('conformance/reference.ts');
  const { code, out } = await conformance([
    ...['--only', 'framing/one-line', '--only', 'resets/*'],
    ...['--connect', `127.0.0.1:${server.port}`],
  ]);
  expect(code, out).toBe(0);
  expect(server.isRunning).toBe(true);
  await server.stop();
  const nobody = await conformance(['--connect', `127.0.0.1:${server.port}`]);
  expect(nobody.err).toMatch(/nobody answers at 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  expect(nobody.code).toBe(2);
});

test('a port that is taken is an error before the first check', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const { code, err } = await conformance(['--port', `${port}`, '--', 'sleep', '60']);
  await new Promise((resolve) => other.close(resolve));
  expect(err).toContain(`something else already listens on port ${port}`);
  expect(code).toBe(2);
});

test('a server that never listens, and one that ends at once, are told with what they said', async () => {
  const port = String(await freePort());
  const silent = await conformance([
    ...['--ready-timeout', '0.3', '--port', port, '--', 'sleep', '60'],
  ]);
  expect(silent.out).toContain(`sleep does not listen on port ${port} after 0.3 s`);
  expect(silent.code).toBe(1);
  const script = 'console.error("no \\x1b[31mconfiguration"); process.exit(3)';
  const ends = await conformance(['--port', port, '--', process.execPath, '-e', script]);
  expect(ends.out).toMatch(/ended with 3 before it listened: no \\x1b\[31mconfiguration/);
  expect(ends.code).toBe(1);
});

test('Ctrl-C: the report is written, the server ended, exit 130', async () => {
  const port = await freePort();
  const command = nodeCommand('conformance/reference.ts');
  const { code, out } = await conformance(
    [
      ...['--report', `json=${file('cut.json')}`, '--port', `${port}`],
      ...['--', ...command, '--port', '{port}'],
    ],
    'framing/one-line',
  );
  expect(code).toBe(130);
  expect(out).toContain('The run was interrupted.');
  const report = JSON.parse(readFileSync(file('cut.json'), 'utf8'));
  expect(report.interrupted).toBe(true);
  expect(report.servers[0].results).toHaveLength(checks.length);
  const refused = await new Promise((resolve) => {
    connect({ port, host: '127.0.0.1' })
      .once('error', () => resolve(true))
      .once('connect', () => resolve(false));
  });
  expect(refused).toBe(true);
});
