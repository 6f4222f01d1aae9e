/** A short run of the random scripts (`npm run fuzz` is the long one), and proof that they find something. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { MODELS, Program } from '../contestants.ts';
import { nodeCommand } from '../node-command.ts';
import { childrenOf, commandOf, processesOf } from '../processes.ts';
import { fuzz } from './play.ts';
import { answerTo } from './script.ts';

test.each([
  ['', ''],
  ['a', ''],
  ['a\r', ''],
  ['a\n', ''],
  ['\r\n', '\r\n'],
  ['a\r\nb', 'a\r\n'],
  ['a\n\r\r\nb\r\n\r', 'a\n\r\r\nb\r\n'],
])('the oracle: %j is answered with %j', (sent, answer) => {
  expect(answerTo(Buffer.from(sent)).toString()).toBe(answer);
});

// The seed is another one each time: what fails once fails again with the seed that is told.
test.each(MODELS)('%s answers random scripts', { timeout: 60_000 }, async (name) => {
  const program = new Program(name, `models/${name}`);
  expect(await fuzz(program, { runs: 20, timeLimit: 10_000 })).toBeUndefined();
});

test.each([
  'one-buffer-for-all',
  'dies-of-a-reset',
  'drops-what-would-block',
  'misses-a-split-terminator',
])('they find %s', { timeout: 60_000 }, async (name) => {
  const options = { runs: 300, seed: 12321, isAnyEnough: true };
  expect(await fuzz(mutant(name), options)).toBeDefined();
});

test('a failure is shrunk, and replays', { timeout: 60_000 }, async () => {
  const finding = await fuzz(mutant('splits-at-bare-lf'), { runs: 300, seed: 12321 });
  expect(finding?.script.split('\n').length).toBeLessThan(4);
  const again = { runs: 1, seed: finding?.seed, path: finding?.path };
  expect(await fuzz(mutant('splits-at-bare-lf'), again)).toMatchObject({ script: finding?.script });
});

test.runIf(process.platform === 'linux')('SIGTERM ends the server, too', async () => {
  const [node = '', ...program] = nodeCommand('conformance/fuzz');
  const child = spawn(node, [...program, 'rxjs', '--runs', '1000000'], { stdio: 'ignore' });
  // Beside the server there is a watchdog, which ends it when the fuzzer is killed.
  const isServer = (pid: number) => commandOf(pid).includes('models/rxjs');
  const servers = () => childrenOf(child.pid as number).filter(({ pid }) => isServer(pid));
  await expect.poll(() => servers().length).toBe(1);
  const [server] = servers();
  child.kill('SIGTERM');
  await once(child, 'exit');
  await expect.poll(() => processesOf(server?.group as number)).toEqual([]);
});

function mutant(name: string): Program {
  return new Program(name, `conformance/mutants/${name}.ts`);
}
