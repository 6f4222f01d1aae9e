/** With lines that cost time: everybody gets a turn, signals are heard, and nobody works for who has left. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { processesOf } from '../conformance/processes.ts';
import type { ServerProcess } from '../conformance/server-process.ts';
import { atMost, distinctModels, echo, isSerial, test, workersFor } from './testbed.ts';

/** Seconds of CPU that a server's processes have used. */
const cpuOf = ({ pid }: ServerProcess) =>
  processesOf(pid).reduce((sum, { ticks }) => sum + ticks, 0) / 100;

// blocking has one client at a time: its others are in the backlog, and wait.
describe.concurrent.each(distinctModels.filter((model) => !isSerial(model)))('%s', (model) => {
  const workers = workersFor(model).map((argument) => argument.replace('2', '1'));

  test('a signal is heard between two lines, however many clients have lines waiting', async ({
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, ['--work', '100', ...workers]);
    const crowd = atMost(40, model);
    const clients = await Promise.all(Array.from({ length: crowd }, () => clientOf(server)));
    await expect.poll(() => server.said).toContain(`${crowd} open`); // not in the backlog
    await Promise.all(clients.map((client) => client.send('one\r\ntwo\r\nsix\r\n')));
    const answered = () => clients.reduce((sum, { received }) => sum + received, 0) / 5;
    await expect.poll(answered, { interval: 5 }).toBeGreaterThan(0);
    const before = answered();
    process.kill(server.pid, 'SIGTERM');
    expect(await server.ended).toBe(0);
    // 120 lines cost 12 s, and the grace period is 1.5 s. Counted in lines: no busy machine makes them more.
    expect(answered() - before).toBeLessThan(40);
  });

  test('nobody works for clients that have left', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, ['--work', '200', '--log', 'off', ...workers]);
    const leaving = await Promise.all(
      Array.from({ length: atMost(60, model) }, () => clientOf(server)),
    );
    await Promise.all(leaving.map((client) => client.send('never read\r\n')));
    await Promise.all(leaving.map((client) => client.reset()));
    const before = cpuOf(server);
    const newcomer = await clientOf(server, { timeout: 30_000 });
    await echo(newcomer, 'is anybody there?\r\n');
    // 12 s of work are gone with them. Each line that was under way costs 0.2 s.
    expect(cpuOf(server) - before).toBeLessThan(3);
  });

  test('nobody waits for clients that have left', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, ['--wait', '5000', '--log', 'off', ...workers]);
    const leaving = await Promise.all(
      Array.from({ length: atMost(20, model) }, () => clientOf(server)),
    );
    await Promise.all(leaving.map((client) => client.send('never read\r\n')));
    await sleep(50);
    const since = performance.now();
    await Promise.all(leaving.map((client) => client.reset()));
    const newcomer = await clientOf(server, { timeout: 40_000 });
    await echo(newcomer, 'is anybody there?\r\n');
    expect(performance.now() - since).toBeLessThan(4 * 5000); // and not 21 times
  });
});
