/** `npx tsx deploy` and `npx tsx deploy/spread.ts`, from outside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { connect } from '../client/client.ts';
import { nodeCommand } from '../conformance/node-command.ts';
import { isListening } from '../conformance/processes.ts';
import { freePort } from './free-port.ts';
import { whyNoHaproxy } from './haproxy.ts';

const obstacle = whyNoHaproxy();

function start(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const [node = '', ...command] = nodeCommand(program);
  const child = spawn(node, [...command, ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.err += text;
  });
  return { child, said, ended: once(child, 'close').then(([code]) => code) };
}

describe.concurrent('npx tsx deploy', () => {
  test.each([
    [['--no-such'], /Unknown option '--no-such'/],
    [['no-such'], /no model "no-such": there are [a-z-]+, /],
    [['--port', 'x'], /--port takes a whole number from 1 to 65535, not x/],
    [['--silence', '1 hour'], /--silence takes a time such as 30s/],
    [['--grace', '-1'], /--grace/],
  ])('a wrong command line is one line, and exit 2: %j', async (args, message) => {
    const { said, ended } = start('deploy', args);
    expect(await ended).toBe(2);
    expect(said.err).toMatch(message);
    expect(said.err.trim().split('\n')).toHaveLength(1);
  });

  test('without haproxy it says so in one line, and exits with 1', async () => {
    const { said, ended } = start('deploy', [], { HAPROXY: '/nowhere/haproxy' });
    expect(await ended).toBe(1);
    expect(said.err).toBe(
      'deploy: haproxy is not installed (Debian, Ubuntu: apt-get install haproxy)\n',
    );
  });

  test.skipIf(obstacle)(
    'serves, restarts in turn at SIGHUP, and ends at SIGINT',
    async ({ expect }) => {
      const port = freePort();
      const { child, said, ended } = start('deploy', ['--port', `${port}`, '--grace', '0']);
      await expect.poll(() => said.out).toContain('rolling restart: kill -HUP');
      expect(said.out).toMatch(`haproxy listening on 127.0.0.1:${port}`);
      const client = await connect({ port });
      await client.send('hello\r\n');
      expect(String(await client.receiveLine())).toBe('hello\r\n');
      // A server that ends is started again.
      const pid = Number(/two {3}epoll-loop on \S+ \(pid (\d+)\)/.exec(said.out)?.[1]);
      process.kill(pid, 'SIGKILL');
      await expect
        .poll(() => said.out)
        .toMatch(/two: ended with SIGKILL\n[\s\S]*two: epoll-loop listen/);
      child.kill('SIGHUP');
      expect((await client.receiveEnd({ timeout: 20_000 })).how).toBe('fin');
      await client.close();
      await expect.poll(() => said.out).toContain('three: listens again, healthy');
      const ends = said.out.match(/^\w+: ended with \d+$/gm);
      expect(ends).toEqual(['one: ended with 0', 'two: ended with 0', 'three: ended with 0']);
      child.kill('SIGINT');
      expect(await ended, said.err).toBe(0);
      expect(await isListening(port)).toBe(false);
    },
  );
});

test('npx tsx deploy/spread.ts counts every connection, and finds those that a stopped process keeps', async () => {
  const { said, ended } = start('deploy/spread.ts', ['--quick']);
  expect(await ended, said.err).toBe(0);
  const rows = said.out.trim().split('\n').slice(2);
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  expect(cells).toHaveLength(4);
  for (const [, , , connections = ''] of cells) {
    const all = connections.split(', ').reduce((sum, one) => sum + Number(one), 0);
    expect(all).toBe(200);
  }
  const stuck = (how: string) =>
    cells
      .filter(([, words, , , , , , n]) => words?.includes(how) && n !== '')
      .map((row) => Number(row[7]));
  for (const one of stuck('shared')) expect(one).toBe(0);
  // A quarter of 200; fewer than 10 would be a hash that is none.
  for (const one of stuck('SO_REUSEPORT')) expect(one).toBeGreaterThan(10);
});
