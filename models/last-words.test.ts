/** The log's last words, and its first about a want of descriptors. */
import { describe } from 'vitest';
import { atMost, distinctModels, echo, isSerial, test, workersFor } from './testbed.ts';

describe.concurrent.each(distinctModels)('%s', (model) => {
  test('who is cut off at the end is in the log', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, workersFor(model));
    const clients = await Promise.all(
      Array.from({ length: isSerial(model) ? 1 : atMost(300, model) }, () => clientOf(server)),
    );
    for (const client of clients) await echo(client);
    process.kill(server.pid, 'SIGTERM'); // none of them closes
    expect(await server.ended).toBe(0);
    expect(server.said.match(/ closed \(the server stops\)/g)?.length).toBe(clients.length);
  });
});

describe.concurrent.each(['events', 'async-await', 'worker-threads', 'cluster', 'rxjs'])(
  '%s',
  (model) => {
    test('says when it has no descriptor left', async ({
      expect,
      testbed: { start, clientOf },
    }) => {
      const workers = workersFor(model).map((argument) => argument.replace('2', '1'));
      const server = await start(model, workers, { descriptors: 60 });
      const clients = await Promise.all(Array.from({ length: 80 }, () => clientOf(server)));
      await expect.poll(() => server.said).toContain('no descriptor is left');
      await Promise.all(clients.map((client) => client.destroy()));
      const afterwards = async () => {
        const client = await clientOf(server);
        await client.send('room now?\r\n').catch(() => {});
        return client.receiveLine().then(String, () => 'no answer');
      };
      await expect.poll(afterwards).toBe('room now?\r\n');
      expect(server.said.match(/no descriptor is left/g)?.length).toBe(1);
    });
  },
);
