/** `--wait`: what a line waits for something that is not the CPU. Only lower bounds of times are certain. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { processesOf } from '../conformance/processes.ts';
import type { ServerProcess } from '../conformance/server-process.ts';
import {
  concurrentModels,
  limitedModels,
  models,
  type Testbed,
  test,
  workersFor,
} from './testbed.ts';

/** With three workers where there are any: as many as there are clients below. */
const argsFor = (model: string, ...args: string[]) => [
  ...args,
  ...workersFor(model).map((argument) => argument.replace('2', '3')),
];

const ticksOf = (server: ServerProcess) =>
  processesOf(server.pid).reduce((sum, { ticks }) => sum + ticks, 0);

describe.concurrent.each(models)('%s', (model) => {
  test('lines of one client wait one after another, keep their order, and outlive its FIN', async ({
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, argsFor(model, '--wait', '150'));
    const client = await clientOf(server);
    const since = performance.now();
    await client.send('one\r\ntwo\r\nthree\r\n');
    await client.halfClose();
    const { bytes, how } = await client.receiveEnd();
    expect(performance.now() - since).toBeGreaterThanOrEqual(450);
    expect({ echo: String(bytes), how }).toEqual({ echo: 'one\r\ntwo\r\nthree\r\n', how: 'fin' });
  });

  test('--work and --wait add up', async ({ expect, testbed: { start, clientOf } }) => {
    const server = await start(model, argsFor(model, '--wait', '200', '--work', '200'));
    const client = await clientOf(server);
    const [since, before] = [performance.now(), ticksOf(server)];
    await client.send('costs both\r\n');
    await client.receive(12);
    expect(performance.now() - since).toBeGreaterThanOrEqual(350); // the work is measured, not timed
    expect(ticksOf(server) - before).toBeGreaterThanOrEqual(10); // 100 ms
  });

  test('waiting costs no CPU', async ({ expect, testbed: { start, clientOf } }) => {
    const isSlow = limitedModels.includes(model); // its threads or processes have to start first
    const server = await start(model, argsFor(model, '--wait', isSlow ? '5000' : '1500'));
    const client = await clientOf(server);
    await client.send('a line\r\n');
    await sleep(isSlow ? 3000 : 200);
    const before = ticksOf(server);
    await client.receive(8);
    expect(ticksOf(server) - before).toBeLessThanOrEqual(5);
  });

  test('a client whose line waits is not idle', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, argsFor(model, '--wait', '700', '--idle-timeout', '0.2'));
    const client = await clientOf(server);
    await client.send('one\r\ntwo\r\n');
    expect(String(await client.receive(10))).toBe('one\r\ntwo\r\n');
    expect((await client.receiveEnd()).bytes.length).toBe(0);
    await expect.poll(() => server.said).toContain('closed (idle)');
  });

  test('SIGTERM: a line that waits is answered', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, argsFor(model, '--wait', '800'));
    const client = await clientOf(server);
    await client.send('waits\r\n');
    await sleep(200);
    process.kill(server.pid, 'SIGTERM');
    const { bytes, how } = await client.receiveEnd();
    expect({ echo: String(bytes), how }).toEqual({ echo: 'waits\r\n', how: 'fin' });
    await client.close();
    expect(await server.ended).toBe(0);
  });

  test('SIGTERM: a line that waits too long ends with the others', async ({
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, argsFor(model, '--wait', '60000'));
    const client = await clientOf(server);
    await client.send('waits\r\n');
    await sleep(200);
    process.kill(server.pid, 'SIGTERM');
    expect((await client.receiveEnd()).bytes.length).toBe(0);
    expect(await server.ended).toBe(0);
  });
});

/** How long three clients with one line each take together, in milliseconds. */
async function three({ start, clientOf }: Testbed, model: string): Promise<number> {
  const server = await start(model, argsFor(model, '--wait', '1000'));
  const clients = await Promise.all([1, 2, 3].map(() => clientOf(server)));
  const since = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      await client.send('x\r\n');
      await client.halfClose();
      expect(String((await client.receiveEnd()).bytes)).toBe('x\r\n');
    }),
  );
  return performance.now() - since;
}

test('three clients wait side by side, but in blocking one after another', async ({
  expect,
  testbed,
}) => {
  const [serial = 0, ...together] = await Promise.all(
    ['blocking', ...concurrentModels].map((model) => three(testbed, model)),
  );
  expect(serial).toBeGreaterThanOrEqual(3000);
  for (const [i, model] of concurrentModels.entries()) {
    expect(together[i], model).toBeGreaterThanOrEqual(999);
    expect(together[i], model).toBeLessThan(serial - 1000);
  }
});

test('poll-loop: a newcomer is served while other lines wait, and a departed client costs nothing', async ({
  expect,
  testbed: { start, clientOf },
}) => {
  const server = await start('poll-loop', ['--wait', '2000']);
  const gone = await clientOf(server);
  await gone.send('x\r\n'.repeat(100));
  await expect.poll(() => server.said).toContain('1 open');
  await gone.reset();
  await expect.poll(() => server.said).toContain('closed (ECONNRESET)');
  const client = await clientOf(server);
  await client.send('x\r\n');
  expect(String(await client.receive(3))).toBe('x\r\n');
});
