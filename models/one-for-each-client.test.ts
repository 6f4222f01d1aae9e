/**
 * What only those models do in which each client has a thread or a process of its own. All other tests leave them
 * out, because there each client costs a start; `MODELS=all` in the environment includes them everywhere.
 */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, onTestFinished } from 'vitest';
import type { Client } from '../client/client.ts';
import { leaveDescriptors } from '../conformance/descriptor-limit.ts';
import { processesOf, systemCallOf } from '../conformance/processes.ts';
import type { ServerProcess } from '../conformance/server-process.ts';
import { ENDED_MS, echo, limitedModels, type Testbed, test } from './testbed.ts';

const isLinux = process.platform === 'linux';
/** The number of recvfrom, from asm/unistd.h. */
const RECVFROM = { x64: '45', arm64: '207' }[process.arch as 'x64' | 'arm64'];

/** The processes that a server has started. */
const childrenOf = ({ pid }: ServerProcess) =>
  processesOf(pid).filter(({ parent }) => parent === pid);

/** How many threads of the server, or of the processes that it has started, wait in recvfrom(2). */
function receivers(server: ServerProcess): number {
  return [server.pid, ...childrenOf(server).map(({ pid }) => pid)]
    .flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((thread) => systemCallOf(pid, thread)))
    .filter((call) => call === RECVFROM).length;
}

/** Starts a model with room for four: what it keeps ready for more costs time. */
const start = (testbed: Testbed, model: string, ...args: string[]) =>
  testbed.start(model, ['--max-connections', '4', ...args]);

/** Clients that have been served. */
async function clientsOf(testbed: Testbed, server: ServerProcess, many: number): Promise<Client[]> {
  const clients = await Promise.all(Array.from({ length: many }, () => testbed.clientOf(server)));
  for (const client of clients) await echo(client);
  return clients;
}

/** Fills all buffers between a server and a client that does not read. */
async function neverRead(client: Client): Promise<void> {
  client.pause();
  const lines = Buffer.from(`${'x'.repeat(1007)}\r\n`.repeat(65));
  await client.flood(lines, { limit: 2 ** 25, stall: 200 });
}

describe.concurrent.each(limitedModels)('%s', (model) => {
  test.runIf(isLinux && RECVFROM)(
    'for each client one thread or process is in recvfrom, and each works for its own only',
    async ({ expect, testbed }) => {
      const server = await start(testbed, model);
      const [first, ...others] = await clientsOf(testbed, server, 3);
      await expect.poll(() => receivers(server)).toBe(3);
      await others[0]?.send('half a line');
      await others[1]?.send('and another one');
      await expect.poll(() => receivers(server)).toBe(3);
      await first?.close();
      await expect.poll(() => receivers(server)).toBe(2);
      expect(childrenOf(server).length).toBe(model === 'process-per-connection' ? 2 : 0);
    },
  );

  test('clients beyond the limit wait in the backlog, and are served in turn', async ({
    expect,
    testbed,
  }) => {
    const server = await testbed.start(model, ['--max-connections', '2']);
    const clients: Client[] = [];
    for (let i = 0; i < 4; i++) {
      const client = await testbed.clientOf(server);
      await client.send(`number ${i}\r\n`.repeat(100));
      if (i < 2) await client.receive(1000);
      clients.push(client);
    }
    for (const [i, client] of clients.entries()) {
      if (i >= 2) expect(String(await client.receive(1000))).toBe(`number ${i}\r\n`.repeat(100));
      await echo(client, 'still here\r\n');
      expect(clients.filter(({ received }) => received > 0).length).toBeLessThanOrEqual(i + 2);
      await client.close();
    }
  });

  test('SIGTERM, whatever the clients do: all is answered, and nothing is left', async ({
    expect,
    testbed,
  }) => {
    const server = await start(testbed, model, '--wait', '300');
    const [silent, partial, deaf] = (await clientsOf(testbed, server, 3)) as [
      Client,
      Client,
      Client,
    ];
    await partial.send('half a li');
    await deaf.send('x\r\n'.repeat(100)); // 30 s of waiting, which it does not get
    const busy = await testbed.clientOf(server);
    await busy.send('waits\r\n'); // perhaps before its thread or process is there
    await expect.poll(() => server.said).toContain('4 open');
    const since = performance.now();
    process.kill(server.pid, 'SIGTERM');
    const ends = [silent, partial, busy].map(async (client) => {
      const { bytes, how } = await client.receiveEnd();
      await client.halfClose().catch(() => {}); // the server may not have waited
      return `${how} ${bytes}`;
    });
    expect(await Promise.all(ends)).toEqual(['fin ', 'fin ', 'fin waits\r\n']);
    expect(await server.ended).toBe(0);
    expect(performance.now() - since).toBeLessThan(ENDED_MS);
    await expect.poll(() => processesOf(server.pid)).toEqual([]);
    const next = createServer().listen(server.port, '127.0.0.1');
    await once(next, 'listening');
    next.close();
  });

  test('SIGINT with a client that does not read, and right after the start', async ({
    expect,
    testbed,
  }) => {
    const [server, fresh] = await Promise.all([start(testbed, model), testbed.start(model)]);
    process.kill(fresh.pid, 'SIGINT');
    expect(await fresh.ended).toBe(0);
    const [client] = await clientsOf(testbed, server, 1);
    await neverRead(client as Client);
    process.kill(server.pid, 'SIGINT');
    expect(await server.ended).toBe(0);
    await expect.poll(() => processesOf(server.pid)).toEqual([]);
  });

  test('a second signal ends it at once', async ({ expect, testbed }) => {
    const server = await start(testbed, model);
    await clientsOf(testbed, server, 1);
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(() => server.said, { interval: 1 }).toContain('stopping with 1 open');
    process.kill(server.pid, 'SIGTERM');
    expect(await server.ended).toBe(143);
    await expect.poll(() => processesOf(server.pid)).toEqual([]);
  });

  test('the log tells what each has to report: a hint, a line too long, an idle client', async ({
    expect,
    testbed,
  }) => {
    const server = await start(testbed, model, '--max-line', '100', '--idle-timeout', '3');
    const [plain, long] = (await clientsOf(testbed, server, 2)) as [Client, Client];
    await long.send(`one\r\n${'x'.repeat(200)}`);
    expect(String((await long.receiveEnd()).bytes)).toBe('one\r\n');
    await long.close();
    await plain.send('from a plain nc\n');
    await expect.poll(() => server.said).toMatch(/ waits [^\n]* 16 bytes; [^\n]*--eol lf\n/);
    expect((await plain.receiveEnd()).bytes.length).toBe(0);
    await plain.close();
    await expect.poll(() => server.said).toMatch(/closed \(idle\) [^\n]* 23 bytes in, 7 out/);
    expect(server.said).toMatch(/closed \([^\n]*100[^\n]*\) [^\n]* 12 out/);
  });

  test.runIf(isLinux)(
    'without a free descriptor a client waits until there is one',
    async ({ expect, testbed }) => {
      const server = await start(testbed, model);
      const [visitor] = await clientsOf(testbed, server, 1);
      await visitor?.close();
      await expect.poll(() => server.said).toContain('closed (end of input)');
      await sleep(500); // threads that start need descriptors, too
      // A process can be accepted for, but not be started.
      const free = model === 'process-per-connection' ? 1 : 0;
      const giveBack = await leaveDescriptors(server.pid, free);
      const client = await testbed.clientOf(server);
      await client.send('hello\r\n');
      await expect.poll(() => server.said).toContain('EMFILE');
      await giveBack();
      expect(String(await client.receive(7))).toBe('hello\r\n');
    },
  );
});

describe.runIf(limitedModels.includes('process-per-connection'))('process-per-connection', () => {
  test('kill -9 of a process ends its client, and no other', async ({ expect, testbed }) => {
    const server = await testbed.start('process-per-connection');
    const clients = await clientsOf(testbed, server, 3);
    process.kill(childrenOf(server)[0]?.pid as number, 'SIGKILL');
    await expect.poll(() => server.said).toContain('closed (its process died: SIGKILL)');
    const open = () => clients.filter(({ ending }) => ending === undefined);
    await expect.poll(() => open().length).toBe(2);
    for (const client of open()) await echo(client);

    process.kill(server.pid, 'SIGKILL'); // no process outlives it
    await expect.poll(() => processesOf(server.pid)).toEqual([]);
  });

  test('who has left without a word costs no process', async ({ expect, testbed }) => {
    const folder = mkdtempSync(join(tmpdir(), 'starts-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const starts = join(folder, 'starts');
    const code = `import children from 'node:child_process';
      import { appendFileSync } from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      const { spawn } = children;
      children.spawn = (...args) => (appendFileSync(${JSON.stringify(starts)}, '.'), spawn(...args));
      syncBuiltinESMExports();`;
    const preload = `data:text/javascript,${encodeURIComponent(code)}`;
    const args = ['--max-connections', '1'];
    const server = await testbed.start('process-per-connection', args, { preload });
    const [first] = await clientsOf(testbed, server, 1);
    expect(String(readFileSync(starts))).toBe('.');
    for (let i = 0; i < 20; i++) {
      const client = await testbed.clientOf(server);
      await (i % 2 === 0 ? client.reset() : client.destroy());
    }
    const last = await testbed.clientOf(server);
    await last.send('hello\r\n');
    const visits = () => server.said.match(/ closed \(/g)?.length ?? 0;
    expect(visits()).toBe(0);
    await first?.close();
    expect(String(await last.receive(7))).toBe('hello\r\n');
    expect(visits()).toBe(21);
    expect(server.said.match(/closed \(ECONNRESET\) [^\n]* 0 bytes in, 0 out/g)).toHaveLength(10);
    expect(String(readFileSync(starts))).toBe('..');
  });
});

describe.runIf(limitedModels.includes('thread-per-connection'))('thread-per-connection', () => {
  test.runIf(isLinux && RECVFROM)(
    'a thread serves one client after another',
    async ({ expect, testbed }) => {
      const server = await start(testbed, 'thread-per-connection');
      const inUse = () =>
        readdirSync(`/proc/${server.pid}/task`).filter(
          (thread) => systemCallOf(server.pid, thread) === RECVFROM,
        );
      const threads: string[] = [];
      for (let i = 0; i < 5; i++) {
        const [client] = await clientsOf(testbed, server, 1);
        await expect.poll(() => inUse().length).toBe(1);
        threads.push(...inUse());
        await client?.close();
        await expect.poll(() => inUse().length).toBe(0);
      }
      expect(new Set(threads).size).toBeLessThan(5);
    },
  );
});
