/** Crowds: as many clients as there is room for, more than that, and all of them leaving at once. */
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Crowd } from '../bench/generator/crowd.ts';
import { leaveDescriptors } from '../conformance/descriptor-limit.ts';
import { processesOf } from '../conformance/processes.ts';
import type { ServerProcess } from '../conformance/server-process.ts';
import { CROWD, crowdedModels } from '../conformance/testable-models.ts';
import { atMost, clientOf, echo, models, start, workersFor } from './testbed.ts';

const isLinux = process.platform === 'linux';

if (crowdedModels.length === 0)
  test.skip('10,000 clients: `ulimit -Hn` forbids them here', () => {});

describe.each(crowdedModels)('%s', (model) => {
  test('10,000 clients are open at once, and each is answered twice', {
    timeout: 180_000,
  }, async () => {
    const server = await start(model, ['--log', 'off', ...workersFor(model)]);
    // The bench's clients: system calls, and every byte compared. Those of the suite cost twice the CPU.
    const crowd = new Crowd({
      port: server.port,
      connections: CROWD,
      lineLength: 32,
      linesEach: 2,
    });
    crowd.proveServed();
    crowd.leave();
    await echo(await clientOf(server));
  });
});

describe.runIf(isLinux).each(models)('%s', (model) => {
  test('a storm of resets ends nothing, and leaves nothing behind', async () => {
    const server = await start(model, ['--log', 'off', ...workersFor(model)]);
    const visitor = await clientOf(server);
    await echo(visitor);
    await visitor.close();
    const before = socketsOf(server.pid);
    for (let wave = 0; wave < 5; wave++) {
      const storm = Array.from({ length: atMost(100, model) }, async (_, i) => {
        const client = await clientOf(server, { reading: i % 2 === 0 });
        await client.send(`${'an answer that is not read\r\n'.repeat(i)}and half a li`);
        await client.reset();
      });
      await Promise.all(storm);
    }
    await expect.poll(() => socketsOf(server.pid) - before).toBeLessThan(10);
    expect(server.isRunning).toBe(true);
    await echo(await clientOf(server));
  });
});

// The models on raw sockets keep them waiting: that is tested in faults.test.ts.
describe.runIf(isLinux).each(['events', 'async-await', 'worker-threads', 'cluster', 'rxjs'])(
  '%s',
  (model) => {
    test('without a free descriptor it goes on, and serves again when there is one', async () => {
      const workers = model === 'cluster' ? ['--workers', '1'] : workersFor(model);
      const server = await start(model, workers);
      const visitor = await clientOf(server);
      await echo(visitor);
      await visitor.close();
      await expect.poll(() => server.said).toContain('closed (end of input)');
      const giveBack = await leaveDescriptors(servingPid(server, model), 2);
      const crowd = await Promise.all(Array.from({ length: 10 }, () => clientOf(server)));
      // Some are served; the others wait, or are turned away: Node closes on whom it has no room for.
      await Promise.all(crowd.map((client) => client.send('anybody?\r\n').catch(() => {})));
      await expect.poll(() => crowd.some(({ received }) => received > 0)).toBe(true);
      expect(server.isRunning).toBe(true);
      await Promise.all(crowd.map((client) => client.destroy()));
      await giveBack();
      const afterwards = async () => {
        const client = await clientOf(server);
        await client.send('room now?\r\n').catch(() => {});
        return client.receiveLine().then(String, () => 'no answer');
      };
      await expect.poll(afterwards).toBe('room now?\r\n');
    });
  },
);

/** How many sockets a process has open. (Threads that are kept for the next client have other descriptors.) */
function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

/** The process that accepts. */
function servingPid({ pid }: ServerProcess, model: string): number {
  if (model !== 'cluster') return pid;
  return processesOf(pid).find(({ parent }) => parent === pid)?.pid as number;
}
