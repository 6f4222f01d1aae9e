/** The cluster's primary: it keeps the port, hears signals while it starts, and leaves no worker behind. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { commandOf, processesOf } from '../conformance/processes.ts';
import type { ServerProcess } from '../conformance/server-process.ts';
import { clientOf, echo, start } from './testbed.ts';

const workersOf = (server: ServerProcess) =>
  processesOf(server.pid).filter(
    ({ pid, parent }) => parent === server.pid && commandOf(pid).includes('models/cluster'),
  );

/** A module that runs in each process before the model does. */
const moduleOf = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;

async function expectFree(port: number): Promise<void> {
  const next = createServer().listen(port, '127.0.0.1');
  await once(next, 'listening');
  next.close();
}

describe.runIf(process.platform === 'linux')('cluster', () => {
  test('clients that come while there is no worker wait for the next one', async () => {
    const server = await start('cluster', ['--workers', '1']);
    await echo(await clientOf(server));
    const worker = workersOf(server)[0]?.pid as number;
    process.kill(worker, 'SIGSTOP');
    // The kernel has connected them; the worker, which is stopped, has not accepted them.
    const waiting = await Promise.all(Array.from({ length: 5 }, () => clientOf(server)));
    process.kill(worker, 'SIGKILL');
    await expect.poll(() => server.said).toContain('takes its place');
    const newcomer = await clientOf(server);
    await Promise.all([...waiting, newcomer].map((client) => echo(client)));
  });

  test('a signal while the workers start ends them all, with 0 and without a word of listening', async () => {
    // The workers take their time.
    const preload = moduleOf(`import c from "node:cluster";
      if (c.isWorker) await new Promise((resolve) => setTimeout(resolve, 1000));
      else setTimeout(() => process.kill(process.pid, 'SIGTERM'), 700);`);
    const started = start('cluster', ['--workers', '2', '--port', '0'], { preload });
    await expect(started).rejects.toThrow(/^models\/cluster ended with 0 before it listened: /);
    await expect(started).rejects.toThrow(/SIGTERM: stopping$/);
  });

  test('a second signal leaves no worker behind, and frees the port', async () => {
    const server = await start('cluster', ['--workers', '2', '--work', '4000']);
    const client = await clientOf(server);
    await client.send('takes long\r\n');
    await sleep(200); // it is being worked on
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(() => server.said).toContain('stopping');
    await sleep(150); // one that comes within 100 ms of the first may count as the same
    process.kill(server.pid, 'SIGTERM');
    expect(await server.ended).toBe(143);
    await expect.poll(() => processesOf(server.pid)).toEqual([]);
    await expectFree(server.port);
  });

  test('a worker that hears of the signal late closes with the others, and logs it', async () => {
    const server = await start('cluster', ['--workers', '1']);
    const clients = await Promise.all(Array.from({ length: 20 }, () => clientOf(server)));
    for (const client of clients) await echo(client);
    const worker = workersOf(server)[0]?.pid as number;
    process.kill(worker, 'SIGSTOP');
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(() => server.said).toContain('stopping');
    await sleep(800); // longer than the primary waits beyond the 1.5 s after which connections are closed forcibly
    process.kill(worker, 'SIGCONT');
    expect(await server.ended).toBe(0);
    expect(server.said.match(/ closed \(the server stops\)/g)?.length).toBe(clients.length);
  });

  test('a signal while one worker starts and another one has a client that stays: all end in order', async () => {
    const server = await start('cluster', ['--workers', '2']);
    const clients = await Promise.all(Array.from({ length: 20 }, () => clientOf(server)));
    for (const client of clients) await echo(client);
    const victim = workersOf(server)[0]?.pid as number;
    const lost = server.said.match(new RegExp(` #${victim}/\\d+ .* connected`, 'g'))?.length ?? 0;
    process.kill(victim, 'SIGKILL');
    await expect.poll(() => server.said).toContain('takes its place');
    process.kill(server.pid, 'SIGTERM');
    expect(await server.ended).toBe(0);
    const closed = server.said.match(/ closed \(the server stops\)/g)?.length ?? 0;
    expect(closed).toBe(clients.length - lost);
  });

  test('a double dash with nothing behind it is no obstacle', async () => {
    const server = await start('cluster', ['--workers', '1', '--']);
    await echo(await clientOf(server));
  });
});
