/** Simultaneous clients, and clients that others must not suffer from. */
import { networkInterfaces } from 'node:os';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import { expectAllServed, expectAnswer, expectEcho, expectService } from '../expect.ts';
import { descriptorsOf } from '../processes.ts';

const SIMULTANEOUS = 'The server must handle simultaneous connections from multiple clients.';
const PARTIAL =
  'It must not stop responding to other clients when one client sends a partial line.';

export const concurrency: readonly Check[] = [
  {
    id: 'concurrency/second-client-while-first-idles',
    level: 'must',
    title: 'A second client is served while the first says nothing',
    sentence: SIMULTANEOUS,
    cause: 'does it serve one client to its end before it accepts the next?',
    needs: ['framing/one-line'],
    async run(scene) {
      const first = await scene.client('first');
      await expectEcho(first, 'I am here\r\n');
      const second = await scene.client('second');
      await expectEcho(second, 'so am I\r\n');
      await expectEcho(first, 'still\r\n');
    },
  },
  {
    id: 'concurrency/hundred-interleaved',
    level: 'should',
    title: '100 clients at once, interleaved, each gets its own lines only',
    sentence: SIMULTANEOUS,
    cause: 'does it share one buffer among its clients, or serve only so many at once?',
    needs: ['framing/one-line', 'concurrency/second-client-while-first-idles'],
    async run(scene) {
      const clients = await scene.clients(100, 'client');
      await expectAllServed(clients);
      for (let round = 0; round < 10; round++) {
        for (const [i, client] of clients.entries()) await client.send(`client ${i} rou`);
        if (round === 0) await scene.quiet(); // so that a busy server reads one half, too
        for (const [i, client] of clients.entries()) await client.send(`nd ${round} #${i}\r\n`);
        await Promise.all(
          clients.map(async (client, i) => {
            const expected = Buffer.from(`client ${i} round ${round} #${i}\r\n`);
            await expectAnswer(client, expected);
          }),
        );
      }
      for (const client of clients) {
        if (client.pending > 0) throw new Failure(`${client.name} got more than it had sent`);
      }
    },
  },
  {
    id: 'concurrency/thousand-open',
    level: 'should',
    title: '1,000 connections are open at once, and each is served',
    sentence: SIMULTANEOUS,
    cause: 'is its backlog, its pool or its limit on descriptors (ulimit -n) too small?',
    needs: ['framing/one-line', 'concurrency/second-client-while-first-idles'],
    async run(scene) {
      const clients = await scene.clients(1000, 'client');
      await expectAllServed(clients);
      await Promise.all(clients.map((client, i) => expectEcho(client, `again, number ${i}\r\n`)));
    },
  },
  {
    id: 'concurrency/hundreds-of-short-ones',
    level: 'must',
    title: '300 clients come and go, one after another',
    sentence: SIMULTANEOUS,
    cause:
      'does each connection leave something behind: a descriptor, a thread, a process that nobody waits for?',
    needs: ['framing/one-line'],
    async run(scene) {
      for (let i = 0; i < 300; i++) {
        const client = await scene.client(`client ${i}`);
        await expectEcho(client, `short visit ${i}\r\n`);
        await client.close({ timeout: scene.moment });
      }
    },
  },
  {
    id: 'concurrency/leaves-no-descriptors',
    level: 'should',
    title: 'Clients that have left cost no descriptor',
    sentence: 'Nothing a client does ends the server: it runs out of nothing.',
    cause: 'is the socket, or a file opened for the connection, never closed?',
    needs: ['framing/one-line'],
    async run(scene) {
      const { group } = scene.target;
      const before = group === undefined ? undefined : descriptorsOf(group);
      if (!before || group === undefined) {
        throw new Unsupported('the server was not started here, or there is no /proc');
      }
      for (let i = 0; i < 50; i++) {
        const client = await scene.client(`client ${i}`);
        await expectEcho(client, 'short visit\r\n');
        await client.close({ timeout: scene.moment });
      }
      const deadline = performance.now() + scene.patience;
      // A few more or fewer are the server's own business.
      let left = 0;
      do {
        await scene.quiet();
        left = (descriptorsOf(group) ?? 0) - before;
      } while (left > 25 && performance.now() < deadline);
      if (left > 25)
        throw new Failure(`50 clients have left, and ${left} descriptors are still open`);
    },
  },
  {
    id: 'concurrency/both-families',
    level: 'should',
    title: 'The server listens on ::1, too',
    sentence: 'It serves on 127.0.0.1 and ::1.',
    cause: 'does it listen on one address only?',
    needs: ['framing/one-line'],
    async run(scene) {
      const addresses = Object.values(networkInterfaces()).flat();
      if (!addresses.some((one) => one?.address === '::1')) {
        throw new Unsupported('this machine has no ::1');
      }
      if (!/^(127\.|::1$)/.test(scene.target.host)) {
        throw new Unsupported('the server was not reached by a loopback address');
      }
      for (const host of ['127.0.0.1', '::1']) {
        const client = await scene.client(`over ${host}`, { host });
        await expectEcho(client, 'here, too\r\n');
        await client.close();
      }
    },
  },
  {
    id: 'concurrency/waiting-client-is-served-next',
    level: 'must',
    title: 'A client that had to wait has lost nothing when its turn comes',
    sentence: SIMULTANEOUS,
    cause:
      'does it throw away what a client sent before it was accepted, or turn away who has to wait?',
    needs: ['framing/one-line'],
    async run(scene) {
      const first = await scene.client('first');
      await expectEcho(first, 'first\r\n');
      // It may wait in the backlog while the first is connected: what it sends must be kept.
      const second = await scene.client('second');
      const lines = Buffer.from('sent while waiting\r\n'.repeat(100));
      await second.send(lines);
      await scene.quiet();
      await expectEcho(first, 'first again\r\n');
      await first.close();
      await expectAnswer(second, lines);
    },
  },
  {
    id: 'concurrency/beside-one-partial-line',
    level: 'must',
    title: 'Others are served while one client holds a partial line',
    sentence: PARTIAL,
    cause: "does it wait for one client's CR LF while others wait for it?",
    needs: ['framing/one-line', 'concurrency/second-client-while-first-idles'],
    run: (scene) => besidePartialLines(scene, 1),
  },
  {
    id: 'concurrency/beside-hundred-partial-lines',
    level: 'should',
    title: 'Others are served while 100 clients hold partial lines',
    sentence: PARTIAL,
    cause: 'does each unfinished line hold one of a limited number of threads or processes?',
    needs: ['concurrency/beside-one-partial-line'],
    run: (scene) => besidePartialLines(scene, 100),
  },
];

async function besidePartialLines(scene: Scene, howMany: number): Promise<void> {
  const bystander = await scene.client('bystander');
  await expectEcho(bystander, 'before\r\n');
  const holders = await scene.clients(howMany, 'holder');
  for (const [i, holder] of holders.entries()) await holder.send(`partial line of ${i}`);
  for (let i = 0; i < 20; i++) await expectEcho(bystander, `meanwhile ${i}\r\n`);
  await expectService(scene, `while ${howMany} clients hold partial lines`);
  for (const [i, holder] of holders.entries()) {
    await holder.send(', completed\r\n');
    const expected = Buffer.from(`partial line of ${i}, completed\r\n`);
    await expectAnswer(holder, expected);
  }
}
