/** Simultaneous clients, and clients that others must not suffer from. */
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../client/client.ts';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import { lineOf } from '../content.ts';
import { expectAllServed, expectAnswer, expectEcho, expectService } from '../expect.ts';
import { descriptorLimitOf, descriptorsLeft, Footprint } from '../footprint.ts';
import { paceOf } from '../pace.ts';

const COMPLETE_LINES = 'The server echoes complete lines, and CR LF separates lines.';
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
      const footprint = Footprint.of(scene.target);
      const before = footprint.look().descriptors;
      for (let i = 0; i < 50; i++) {
        const client = await scene.client(`client ${i}`);
        await expectEcho(client, 'short visit\r\n');
        await client.close({ timeout: scene.moment });
      }
      const left = await descriptorsLeft(scene, footprint, before, 26);
      if (left > 0)
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
    id: 'concurrency/same-port-twice',
    level: 'should',
    title: 'Two clients with the same port, on 127.0.0.1 and on ::1, are two clients',
    sentence: SIMULTANEOUS,
    cause: 'are clients told apart by their port alone? Only address and port together name one',
    needs: ['concurrency/both-families', 'concurrency/second-client-while-first-idles'],
    async run(scene) {
      const first = await scene.client('on 127.0.0.1', { host: '127.0.0.1' });
      const from = { address: '::1', port: first.localPort };
      const second = await scene.client('on ::1', { host: '::1', from }).catch((error: Error) => {
        throw new Unsupported(`the same port cannot be had twice: ${error.message}`);
      });
      await first.send('begun on 127.0.0.1');
      await scene.quiet();
      await expectEcho(second, 'whole on ::1\r\n');
      await second.send('begun on ::1');
      await scene.quiet();
      await first.send(', and completed\r\n');
      await expectAnswer(first, 'begun on 127.0.0.1, and completed\r\n');
      await second.send(', and completed\r\n');
      await expectAnswer(second, 'begun on ::1, and completed\r\n');
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
    id: 'concurrency/beside-one-silent-client',
    level: 'must',
    title: 'Others are served while one client has not said anything yet',
    sentence: SIMULTANEOUS,
    cause: 'does it wait for the first line of a client before it accepts the next?',
    needs: ['framing/one-line', 'concurrency/second-client-while-first-idles'],
    async run(scene) {
      const silent = await scene.client('silent');
      await expectService(scene, 'while a client is connected that has sent nothing');
      await expectService(scene, 'while that client still says nothing');
      await expectEcho(silent, 'now I speak\r\n');
    },
  },
  {
    id: 'concurrency/beside-any-partial-line',
    level: 'must',
    title: 'Others are served while one client holds a partial line, whatever it is',
    sentence: PARTIAL,
    cause:
      'does it wait for the rest of a line: after a CR, or when one is longer than what a recv returns?',
    needs: ['concurrency/beside-one-partial-line'],
    async run(scene) {
      const bystander = await scene.client('bystander');
      await expectEcho(bystander, 'before\r\n');
      for (const [what, partial] of PARTIAL_LINES) {
        const holder = await scene.client(`holds ${what}`);
        holder.send(partial).catch(() => undefined);
        await scene.settle(5); // so that it has mostly been read
        for (let i = 0; i < 3; i++) await expectEcho(bystander, `meanwhile ${i}\r\n`);
        await expectService(scene, `while a client holds ${what}`);
        // What becomes of a CR, or of a long line, is a matter of other checks.
        if (partial.length <= 1000 && !partial.endsWith('\r')) {
          await holder.send('!\r\n');
          await expectAnswer(holder, `${partial}!\r\n`);
        }
        await holder.close({ timeout: scene.moment });
      }
    },
  },
  {
    id: 'concurrency/nothing-is-inherited',
    level: 'must',
    title: 'A new client gets nothing of what those who have left had begun',
    sentence: COMPLETE_LINES,
    cause:
      'is a buffer kept for a descriptor, and not emptied when another client gets that descriptor?',
    needs: ['framing/one-line', 'framing/rest-of-a-segment-is-kept'],
    async run(scene) {
      for (let i = 0; i < 12; i++) {
        const leaver = await scene.client(`leaves ${i}`);
        await leaver.send(`in front\r\nbegun by ${i}${'\r'.repeat(i % 2)}`);
        await expectAnswer(leaver, 'in front\r\n');
        await leaver.close({ timeout: scene.moment });
        const newcomer = await scene.client(`newcomer ${i}`);
        await expectEcho(newcomer, `mine ${i}\r\n`);
        await newcomer.close({ timeout: scene.moment });
      }
    },
  },
  {
    id: 'concurrency/long-partial-lines',
    level: 'should',
    title: 'Long lines of many clients that grow at the same time are not mixed up',
    sentence: PARTIAL,
    cause: 'do clients share memory for unfinished lines once these are long, or many?',
    needs: ['concurrency/hundred-interleaved', 'limits/longest-line'],
    async run(scene) {
      const { byte } = await paceOf(scene);
      const longest = Math.max(2000, Math.min(60_000, 500 / byte));
      const clients = await scene.clients(12, 'holder');
      await expectAllServed(clients);
      const long = clients.map((_, i) => lineOf(i, 1, Math.round((longest * (i + 1)) / 12)));
      const slices = 10;
      const slice = (line: Buffer, n: number) =>
        line.subarray(
          Math.floor(((line.length - 1) * n) / slices),
          Math.floor(((line.length - 1) * (n + 1)) / slices),
        );
      for (let n = 0; n < slices; n++) {
        for (const [i, client] of clients.entries()) {
          await client.send(slice(long[i] as Buffer, n));
        }
        await sleep(2);
      }
      // Only the LF is missing now. The last comes first.
      for (const [i, client] of [...clients.entries()].reverse()) {
        await client.send('\n');
        await expectAnswer(client, long[i] as Buffer);
      }
      for (const client of clients) {
        if (client.pending > 0) throw new Failure(`${client.name} got more than it had sent`);
      }
    },
  },
  {
    id: 'concurrency/beyond-1024-descriptors',
    level: 'should',
    title: '1,100 connections are open at once, and each is served',
    sentence: SIMULTANEOUS,
    cause: 'does it use select(2), which knows 1,024 descriptors and writes beyond its sets?',
    needs: ['concurrency/thousand-open'],
    async run(scene) {
      const many = 1100;
      const limits = [descriptorLimitOf('self'), limitOf(scene)].filter((one) => one !== undefined);
      if (Math.min(...limits) < many + 100) {
        throw new Unsupported(`a limit of this machine is in the way (ulimit -n)`);
      }
      const { line } = await paceOf(scene);
      if (line * many > scene.patience) throw new Unsupported('too slow to tell');
      const clients: Client[] = [];
      // A few at a time, each served before the next ones come: a backlog may be short.
      while (clients.length < many) {
        const few = await scene.clients(4, `client ${clients.length} +`);
        for (const [i, one] of few.entries()) await one.send(`here ${clients.length + i}\r\n`);
        for (const [i, one] of few.entries()) {
          await expectAnswer(one, `here ${clients.length + i}\r\n`);
        }
        clients.push(...few);
      }
      for (const [i, client] of clients.entries()) await client.send(`number ${i}\r\n`);
      for (const [i, client] of clients.entries()) await expectAnswer(client, `number ${i}\r\n`);
    },
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

/** What a client may hold of a line: its name, and itself. Others must not wait for the rest. */
const PARTIAL_LINES: readonly (readonly [string, string])[] = [
  ['one byte', 'x'],
  ['a CR', '\r'],
  ['a line without its LF', 'almost done\r'],
  ['two CRs', 'a\r\r'],
  ['600 bytes', 'six hundred '.repeat(50)],
  ['1,500 bytes, more than an Ethernet segment', 'segment'.repeat(215)],
  ['5,000 bytes and a CR', `${'12345'.repeat(1000)}\r`],
  ['20,000 bytes', '0123456789'.repeat(2000)],
];

/** How many descriptors the server may have, where that can be seen. */
function limitOf({ target }: Scene): number | undefined {
  try {
    return Footprint.of(target).descriptorLimit;
  } catch {
    return undefined;
  }
}
