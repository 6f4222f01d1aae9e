/** Bring your own: a folder that appears in `models/` is found everywhere, and no list is touched. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A copy of the project, so that other tests do not meet the new model. */
const copy = mkdtempSync(join(tmpdir(), 'mine-'));
const root = fileURLToPath(new URL('..', import.meta.url));

beforeAll(() => {
  for (const part of [
    ...['bench', 'client', 'conformance', 'echo', 'node-net', 'raw-net', 'sockets'],
    ...['package.json', 'tsconfig.json', 'models/poll-loop'],
  ]) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, 'models/mine'));
  cpSync(join(root, 'models/poll-loop'), join(copy, 'models/mine'), { recursive: true });
});
afterAll(() => rmSync(copy, { recursive: true }));

async function run(program: string, ...args: string[]) {
  const command = ['--import', 'tsx', program, ...args];
  const child = spawn(process.execPath, command, { cwd: copy, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

test('the suite judges it by its name', async () => {
  const { code, output } = await run('conformance', 'mine', '--only', 'framing/one-line');
  expect(output).toMatch(/mine +1 passed/);
  expect(code).toBe(0);
});

test.runIf(process.platform === 'linux')('the bench measures it by its name', async () => {
  const args = ['--quick', '--only', 'mine', '--workload', 'echo', '--rounds', '1'];
  const { code, output } = await run('bench', ...args, '--json', join(copy, 'results.json'));
  expect(output).toMatch(/^ +mine +[\d,]+/m);
  expect(code, output).toBe(0);
});
