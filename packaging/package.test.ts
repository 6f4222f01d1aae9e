/** The package, as people install it: from a tarball, into an empty folder, far from any clone. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'package-'));
afterAll(() => rmSync(folder, { recursive: true }));

const npm = (args: readonly string[], cwd: string) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Why the tarball could not be installed here. */
let obstacle: string | undefined;

beforeAll(() => {
  const [tarball = ''] = npm(['pack', '--pack-destination', folder], root)
    .trim()
    .split('\n')
    .slice(-1);
  writeFileSync(path.join(folder, 'package.json'), '{}');
  const install = ['install', path.join(folder, tarball)];
  try {
    npm([...install, '--offline'], folder);
  } catch {
    try {
      npm(install, folder);
    } catch (error) {
      obstacle = `neither npm's cache nor a registry has the dependencies: ${error}`;
    }
  }
}, 240_000);

const bin = (name: string) => path.join(folder, 'node_modules/.bin', name);

function run(name: string, args: readonly string[], until?: RegExp) {
  const child = spawn(bin(name), args, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } });
  let said = '';
  const ended = new Promise<{ code: number | null; said: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, said }));
  });
  const ready = new Promise<string>((resolve, reject) => {
    const hear = (text: string) => {
      said += text;
      if (until?.test(said)) resolve(said);
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    if (until) child.once('close', () => reject(new Error(said)));
  });
  return { child, ended, ready };
}

const FEW = ['--only', 'framing/*', '--skip', 'framing/random*', '--only', 'half-close/*'];

test('the help names the installed command, and no TypeScript is installed', (context) => {
  if (obstacle) return context.skip(obstacle);
  expect(existsSync(path.join(folder, 'node_modules/line-echo-models/conformance'))).toBe(false);
  expect(existsSync(path.join(folder, 'node_modules/line-echo-models/dist'))).toBe(true);
  expect(execFileSync(bin('line-echo-conformance'), ['--help'], { encoding: 'utf8' })).toContain(
    'Usage: line-echo-conformance ',
  );
});

test('the suite judges a server of somebody else, without libc', {
  timeout: 120_000,
}, async (context) => {
  if (obstacle) return context.skip(obstacle);
  const koffi = path.join(folder, 'node_modules/koffi');
  const elsewhere = `${koffi}-elsewhere`;
  const script = `const net = require('net');
    net.createServer((s) => s.on('error', () => {}).pipe(s)).listen(process.env.PORT, '127.0.0.1');`;
  execFileSync('mv', [koffi, elsewhere]);
  try {
    const port = String(20_000 + Math.floor(Math.random() * 10_000));
    const { said, code } = await run('line-echo-conformance', [
      ...[...FEW, '--port', port, '--report', 'json=report.json'],
      ...['--', process.execPath, '-e', script],
    ]).ended;
    expect(said).toMatch(/does not: 1 of \d+ must-checks failed/);
    expect(said).toMatch(/again {4}line-echo-conformance --port \d+ --only /);
    expect(code).toBe(1);
    const report = JSON.parse(readFileSync(path.join(folder, 'report.json'), 'utf8'));
    expect(report.version).toMatch(/^\d+\.\d+\.\d+$/);
  } finally {
    execFileSync('mv', [elsewhere, koffi]);
  }
});

test.for(['poll-loop', 'worker-threads', 'cluster'])(
  'line-echo-model %s',
  { timeout: 60_000 },
  async (name, context) => {
    if (obstacle) return context.skip(obstacle);
    const model = run('line-echo-model', [name, '--port', '0'], /listening on 127\.0\.0\.1:\d+/);
    const port = /127\.0\.0\.1:(\d+)/.exec(await model.ready)?.[1];
    const { said, code } = await run('line-echo-conformance', [
      ...['--only', 'framing/one-line', '--connect', `127.0.0.1:${port}`],
    ]).ended;
    expect(code, said).toBe(0);
    model.child.kill('SIGTERM');
    expect((await model.ended).code).toBe(0);
  },
);

test('line-echo-model without a name tells which there are', async (context) => {
  if (obstacle) return context.skip(obstacle);
  const { said, code } = await run('line-echo-model', []).ended;
  expect(said).toContain('poll-loop');
  expect(code).toBe(2);
});

test('the models can be judged from the package', { timeout: 60_000 }, async (context) => {
  if (obstacle) return context.skip(obstacle);
  const { said, code } = await run('line-echo-conformance', [
    'rxjs',
    'poll-loop',
    '--only',
    'framing/one-line',
  ]).ended;
  expect(code, said).toBe(0);
});
