/**
 * The end of a model at awkward moments: in each of them SIGTERM means exit code 0 within 2 s, a
 * client that gets only whole lines, in order, and a port that is free afterwards.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import type { Client } from '../client/client.ts';
import type { ServerProcess } from '../conformance/server-process.ts';
import { ENDED_MS, echo, isSerial, models, type Testbed, test, workersFor } from './testbed.ts';

function start(testbed: Testbed, model: string, ...args: string[]): Promise<ServerProcess> {
  return testbed.start(model, [...workersFor(model), ...args]);
}

/** A client that has been served. */
async function clientOf(testbed: Testbed, server: ServerProcess, options = {}): Promise<Client> {
  const client = await testbed.clientOf(server, options);
  await echo(client, 'served\r\n');
  return client;
}

async function endsInOrder(server: ServerProcess): Promise<void> {
  const since = performance.now();
  process.kill(server.pid, 'SIGTERM');
  expect(await server.ended).toBe(0);
  expect(performance.now() - since).toBeLessThan(ENDED_MS);
  const next = createServer().listen(server.port, '127.0.0.1');
  await once(next, 'listening');
  next.close();
}

/** Waits for the server's FIN, and answers it with one, as most clients do. */
async function leave(client: Client) {
  const end = await client.receiveEnd();
  await client.halfClose().catch(() => {}); // the server may not have waited
  return end;
}

/** Line number `i` of client `name`; the lengths differ, so that reads and lines fall out of step. */
const line = (name: number, i: number) =>
  `client ${name} line ${i} ${'.'.repeat((i * 37) % 1009)}\r\n`;

describe.concurrent.each(models)('%s', (model) => {
  test('right after it has said that it listens', async ({ testbed }) => {
    for (let i = 0; i < 2; i++) await endsInOrder(await start(testbed, model));
  });

  test('with a client that holds a partial line', async ({ testbed, expect }) => {
    const server = await start(testbed, model);
    const client = await clientOf(testbed, server);
    await client.send('whole\r\na partial li');
    await client.receive(7);
    const end = leave(client);
    await endsInOrder(server);
    const { bytes, how } = await end;
    expect({ bytes: bytes.length, how }).toEqual({ bytes: 0, how: 'fin' });
  });

  // The other models have one among others in lifecycle.test.ts.
  test.runIf(isSerial(model))('with a client that does not read', async ({ testbed }) => {
    const server = await start(testbed, model);
    const client = await clientOf(testbed, server, { receiveBuffer: 4096 });
    client.pause();
    await client.flood(Buffer.from(`${'x'.repeat(1007)}\r\n`.repeat(65)), {
      limit: 2 ** 25,
      stall: 200,
    });
    await endsInOrder(server);
  });

  test('with a client that reads a little now and then', async ({ testbed }) => {
    const server = await start(testbed, model);
    const client = await clientOf(testbed, server, { receiveBuffer: 4096 });
    client.pause();
    await client.flood(Buffer.from(`${'x'.repeat(1007)}\r\n`.repeat(65)), {
      limit: 2 ** 25,
      stall: 200,
    });
    let reading = true;
    const trickle = (async () => {
      while (reading && !client.ending) {
        client.resume();
        await nextTurn();
        client.pause();
        await sleep(5);
      }
    })();
    await endsInOrder(server).finally(() => {
      reading = false;
    });
    await trickle;
  });

  test('with more work than there is time for', async ({ testbed, expect }) => {
    const server = await start(testbed, model, '--work', '20');
    const client = await clientOf(testbed, server);
    const lines = Array.from({ length: 400 }, (_, i) => line(1, i)).join('');
    await client.send(lines);
    await client.receive(line(1, 0).length);
    await endsInOrder(server);
    const { bytes } = await client.receiveEnd();
    expect(lines.startsWith(line(1, 0) + bytes)).toBe(true);
  });

  test('with clients that go on sending', async ({ testbed, expect }) => {
    const server = await start(testbed, model);
    const talkers = await Promise.all(
      Array.from({ length: isSerial(model) ? 1 : 8 }, () => clientOf(testbed, server)),
    );
    let talking = true;
    const talks = talkers.map(async (client, name) => {
      let sent = '';
      for (let i = 0; talking && client.ending === undefined; i++) {
        const next = line(name, i);
        sent += next;
        await client.send(next).catch(() => {});
        if (i % 8 === 0) await nextTurn(); // to read, too
      }
      return sent;
    });
    // Under way, all of them.
    for (const client of talkers) await expect.poll(() => client.received).toBeGreaterThan(50_000);
    // What has come back by now, the server had received.
    const certain = talkers.map((client) => client.received);
    const ends = talkers.map(leave);
    await endsInOrder(server);
    talking = false;
    for (const [i, client] of talkers.entries()) {
      const sent = await (talks[i] as Promise<string>);
      const { bytes, how } = await (ends[i] as ReturnType<typeof leave>);
      const answer = String(bytes);
      expect(how).toBe('fin');
      expect(client.received).toBeGreaterThanOrEqual(certain[i] as number);
      expect(sent.startsWith(answer)).toBe(true);
      expect(answer.endsWith('\r\n')).toBe(true);
    }
  });
});
