/** How a model begins and ends, seen from outside: the real program, its output, its exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, type ExpectStatic } from 'vitest';
import { type Client, connect } from '../client/client.ts';
import { nodeCommand } from '../conformance/node-command.ts';
import { processesOf } from '../conformance/processes.ts';
import type { ServerProcess } from '../conformance/server-process.ts';
import { GRACE_MS } from '../echo/shutdown.ts';
import {
  atMost,
  distinctModels,
  ENDED_MS,
  echo,
  isSerial,
  limitedModels,
  root,
  test,
  workersFor,
} from './testbed.ts';

const others: Server[] = [];

afterAll(() => {
  for (const other of others) other.close();
});

/** Runs a model that is not expected to stay. */
async function run(model: string, ...args: string[]) {
  const [node = '', ...program] = nodeCommand(`models/${model}`);
  const child = spawn(node, [...program, ...args], {
    cwd: root,
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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

/** Sends a signal to the process and tells how it ended, and after how many milliseconds. */
async function endWith(server: ServerProcess, signal: NodeJS.Signals) {
  const since = performance.now();
  process.kill(server.pid, signal);
  const code = await server.ended;
  return { code, milliseconds: performance.now() - since };
}

/** Expects that no process of a group is left. */
async function expectGone(expect: ExpectStatic, group: number): Promise<void> {
  await expect.poll(() => processesOf(group)).toEqual([]);
}

async function occupy(host: string): Promise<number> {
  const other = createServer();
  others.push(other);
  other.listen(0, host);
  await once(other, 'listening');
  return (other.address() as { port: number }).port;
}

describe.concurrent.each(distinctModels)('%s', (model) => {
  const workers = workersFor(model);
  /** For hundreds of clients. */
  const patience = { timeout: limitedModels.includes(model) ? 300_000 : 60_000 };

  test('says where it listens, first of all', async ({ testbed, expect }) => {
    // As users start it: here, and where Ctrl-C is tested below.
    const server = await testbed.start(model, workers, { tsx: true });
    const addresses = isSerial(model)
      ? '127\\.0\\.0\\.1:\\d+'
      : '127\\.0\\.0\\.1:(\\d+) \\[::1\\]:\\1';
    expect(server.said).toMatch(
      new RegExp(`^${model} listening on ${addresses} \\(pid ${server.pid}\\)\n`),
    );
  });

  test('explains itself', async ({ expect }) => {
    const [help, version] = await Promise.all([run(model, '--help'), run(model, '--version')]);
    expect(help).toMatchObject({ code: 0, err: '', out: expect.stringContaining('--max-line') });
    expect(version).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^\S+ \d+\.\d+\.\d+\n$/),
    });
  });

  // Which options are wrong is the business of echo/options.test.ts.
  test('says what is wrong in one line, and with its exit code', async ({ expect }) => {
    const port = String(await occupy('127.0.0.1'));
    const [option, taken, strange] = await Promise.all([
      run(model, '--nonsense'),
      run(model, '--port', port),
      run(model, '--host', '192.0.2.1', '--port', '0'),
    ]);
    expect(option).toEqual({ code: 2, out: '', err: expect.stringMatching(/^[^\n]+\n$/) });
    for (const [wrong, why] of [
      [taken, 'EADDRINUSE'],
      [strange, 'EADDRNOTAVAIL'],
    ] as const) {
      expect(wrong).toMatchObject({ code: 1, out: '' });
      expect(wrong.err).toMatch(new RegExp(`^[^\\n]*${why}[^\\n]*\n$`));
    }
  });

  test.skipIf(isSerial(model))('one of two addresses taken is an error', async ({ expect }) => {
    const port = await occupy('::1');
    const wrong = await run(model, '--port', String(port));
    expect(wrong).toMatchObject({ code: 1, out: '' });
    expect(wrong.err).toMatch(/^[^\n]*EADDRINUSE[^\n]*\n$/);
  });

  test.for(['SIGTERM', 'SIGINT'] as const)(
    '%s ends it with 0, and frees the port',
    async (signal, { testbed, expect }) => {
      const server = await testbed.start(model, workers);
      await echo(await testbed.clientOf(server), 'idle from now on\r\n');
      if (!isSerial(model)) {
        const holder = await testbed.clientOf(server);
        await echo(holder, 'one\r\n');
        await holder.send('a partial li');
        const slow = await testbed.clientOf(server);
        await echo(slow, 'one\r\n');
        slow.pause();
        await slow.flood(Buffer.from(`${'x'.repeat(1007)}\r\n`.repeat(60)), {
          limit: 2 ** 25,
          stall: 200,
        });
      }
      const { code, milliseconds } = await endWith(server, signal);
      expect(code).toBe(0);
      expect(milliseconds).toBeLessThan(ENDED_MS);
      await expectGone(expect, server.pid);
      const next = createServer().listen(server.port, '127.0.0.1');
      others.push(next);
      await once(next, 'listening');
    },
  );

  test('SIGTERM under load: what was received complete comes back', async ({ testbed, expect }) => {
    const server = await testbed.start(model, workers);
    const talkers = await Promise.all(
      Array.from({ length: isSerial(model) ? 1 : atMost(20, model) }, () =>
        testbed.clientOf(server),
      ),
    );
    for (const client of talkers) await echo(client, 'ready\r\n');
    let talking = true;
    const talks = talkers.map(async (client) => {
      for (let i = 0; talking && client.ending === undefined; i++) {
        const line = `line ${i} of a client that does not wait ${'.'.repeat(i % 997)}\r\n`;
        await client.send(line).catch(() => {});
        if (i % 8 === 0) await nextTurn(); // to read, too
      }
    });
    await sleep(200);
    // What was sent by now is with the server when the signal is.
    const owed = talkers.map((client) => client.taken);
    talking = false;
    await Promise.all(talks);
    const all = talkers.map((client) => client.offered);
    const ends = talkers.map(async (client) => {
      const { how } = await client.receiveEnd();
      await client.halfClose().catch(() => {}); // the server may not have waited
      return how;
    });
    const { code, milliseconds } = await endWith(server, 'SIGTERM');
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(ENDED_MS);
    for (const [i, client] of talkers.entries()) {
      const how = await ends[i];
      expect(how).toBe('fin');
      expect(client.received).toBeGreaterThanOrEqual(owed[i] as number);
      expect(client.received).toBe(all[i]);
    }
  });

  test('SIGTERM: a line that still costs time is answered', async ({ testbed, expect }) => {
    // Longer than a client that goes on sending would be answered, shorter than the grace period. Nearly all
    // of it is waiting: on a busy machine, CPU time takes many times as long as it says.
    const server = await testbed.start(model, ['--work', '10', '--wait', '700', ...workers]);
    const client = await testbed.clientOf(server);
    await client.send('takes its time\r\n');
    await sleep(100); // it is being worked on
    process.kill(server.pid, 'SIGTERM');
    const { bytes, how } = await client.receiveEnd();
    expect({ echo: bytes.toString(), how }).toEqual({ echo: 'takes its time\r\n', how: 'fin' });
    await client.close();
    expect(await server.ended).toBe(0);
  });

  test('a second signal ends it at once', async ({ testbed, expect }) => {
    const server = await testbed.start(model, workers);
    const client = await testbed.clientOf(server);
    await echo(client, 'stays connected\r\n');
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(() => server.said).toContain('stopping');
    await sleep(150); // one that comes within 100 ms of the first counts as the same
    const { code, milliseconds } = await endWith(server, 'SIGTERM');
    expect(milliseconds).toBeLessThan(GRACE_MS);
    expect([143, 0]).toContain(code);
    await expectGone(expect, server.pid);
  });

  // tsx kills what has not reacted within 60 ms of its own clock, which on a busy machine may be before
  // the process was given a core at all: that says nothing of the model. One that can't is killed each time.
  test('Ctrl-C under tsx ends it with 0', { retry: 4 }, async ({ expect }) => {
    const tsx = 'node_modules/tsx/dist/cli.mjs';
    const child = spawn(process.execPath, [tsx, `models/${model}`, '--port', '0', ...workers], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    let said = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += text;
      if (said.includes('\n')) break;
    }
    process.kill(-(child.pid as number), 'SIGINT'); // as a terminal does
    const [code, signal] = await gone;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    await expectGone(expect, child.pid as number);
  });

  test('--log json is JSON, and tells of the tail', async ({ testbed, expect }) => {
    const server = await testbed.start(model, ['--log', 'json', ...workers]);
    const client = await testbed.clientOf(server);
    await client.send('done\r\nmeant as a line\n');
    await client.halfClose();
    await client.receiveEnd();
    await endWith(server, 'SIGTERM');
    const records = server.said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records[0]).toMatchObject({ model, event: 'listening', pid: server.pid });
    const closed = records.find(({ event }) => event === 'closed');
    expect(closed).toMatchObject({ received: 22, sent: 6, unfinished: 16 });
    expect(closed.hint).toContain('--eol lf');
  });

  test('--log off says where it listens, and nothing else', async ({ testbed, expect }) => {
    const server = await testbed.start(model, ['--log', 'off', ...workers]);
    const client = await testbed.clientOf(server);
    await echo(client, 'a line\r\n');
    await client.close();
    await endWith(server, 'SIGTERM');
    expect(server.said).toMatch(/^[^\n]+ listening on [^\n]+\n$/);
  });

  test('--eol lf, --max-line, --idle-timeout', async ({ testbed, expect }) => {
    const server = await testbed.start(model, [
      '--eol',
      'lf',
      '--max-line',
      '10',
      '--idle-timeout',
      '0.3',
      ...workers,
    ]);
    const client = await testbed.clientOf(server);
    await echo(client, 'unix\n');
    await echo(client, '123456789\n');
    const { bytes, how } = await client.receiveEnd();
    expect({ bytes: bytes.length, how }).toEqual({ bytes: 0, how: 'fin' });
    const long = await testbed.clientOf(server);
    await long.send('ok\n1234567890\n');
    expect((await long.receiveEnd()).bytes.toString()).toBe('ok\n');
    expect(server.said).toContain('idle');
  });

  test('a client that waits for the server is not idle', async ({ testbed, expect }) => {
    const server = await testbed.start(model, [
      '--idle-timeout',
      '0.3',
      '--work',
      '350',
      ...workers,
    ]);
    const client = await testbed.clientOf(server);
    await client.send('costs more\r\nthan the timeout\r\n');
    const other = await testbed.clientOf(server);
    await other.send('comes meanwhile\r\n');
    expect(String((await client.receiveEnd()).bytes)).toBe('costs more\r\nthan the timeout\r\n');
    expect(String((await other.receiveEnd()).bytes)).toBe('comes meanwhile\r\n');
  });

  test('a log that is read late comes all the same', patience, async ({ expect }) => {
    // A pipe, whose reader goes on when it is told to.
    const reader = 'head -1 >&3; head -c 1 <&4 >/dev/null; exec cat >&3';
    const command = `exec 3>&1 4<&0; "$@" --port 0 --host 127.0.0.1 ${workers.join(' ')} | (${reader})`;
    const child = spawn('sh', ['-c', command, 'sh', ...nodeCommand(`models/${model}`)], {
      cwd: root,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
      await expect.poll(() => said, { timeout: 20_000 }).toContain('\n');
      const port = Number(/:(\d+) /.exec(said)?.[1]);
      // 150 bytes for each: more than a pipe holds.
      for (let i = 0; i < 800; i++) await (await connect({ port, name: `${i}` })).close();
      child.stdin.write('x');
      await expect.poll(() => said.match(/closed/g)?.length, { timeout: 10_000 }).toBe(800);
    } finally {
      process.kill(-(child.pid as number), 'SIGKILL');
    }
  });

  test('a log that nobody reads, or that is closed, ends nothing', patience, async () => {
    for (const reader of ['sleep 30', 'head -1']) {
      const command = `exec 3>&1; "$@" --port 0 --host 127.0.0.1 ${workers.join(' ')} | (head -1 >&3; ${reader})`;
      const child = spawn('sh', ['-c', command, 'sh', ...nodeCommand(`models/${model}`)], {
        cwd: root,
        detached: true,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      try {
        let said = '';
        for await (const text of child.stdout.setEncoding('utf8')) {
          said += text;
          if (said.includes('\n')) break;
        }
        const port = Number(/:(\d+) /.exec(said)?.[1]);
        for (let i = 0; i < 800; i++) {
          const client = await connect({ port, name: `${i}` });
          if (i % 100 === 0) await echo(client, 'still there\r\n');
          await client.close();
        }
      } finally {
        process.kill(-(child.pid as number), 'SIGKILL');
      }
    }
  });
});

describe.concurrent.each(distinctModels.filter((model) => !isSerial(model)))('%s', (model) => {
  test('--max-connections is exact', async ({ testbed, expect }) => {
    const server = await testbed.start(model, ['--max-connections', '3', ...workersFor(model)]);
    for (let i = 0; i < 4; i++) await (await testbed.clientOf(server)).close(); // without a word
    const taken = [];
    for (let i = 0; i < 3; i++) {
      const client = await testbed.clientOf(server);
      await echo(client, `number ${i}\r\n`);
      taken.push(client);
    }
    const fourth = await testbed.clientOf(server);
    if (!limitedModels.includes(model)) {
      const { bytes } = await fourth.receiveEnd();
      expect(bytes.length).toBe(0);
    }
    await echo(taken[0] as Client, 'still here\r\n');
    await taken[1]?.close();
    await fourth.close(); // who waits in the backlog is the next
    await expect
      .poll(async () => {
        const client = await testbed.clientOf(server);
        await client.send('room now?\r\n').catch(() => {});
        return client.receiveLine().then(String, () => 'refused');
      })
      .toBe('room now?\r\n');
  });
});
