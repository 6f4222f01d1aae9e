/** Simultaneous clients, and clients that others must not suffer from. */
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../client/client.ts';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import { lineOf } from '../content.ts';
import { descriptorsOf, leaveDescriptors } from '../descriptor-limit.ts';
import {
  blockOfLines,
  expectAllServed,
  expectAnswer,
  expectEcho,
  expectEnd,
  expectSame,
  expectService,
  leaveOutputPending,
  NARROW,
} from '../expect.ts';
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
      // Bystanders count: where descriptors end at 1,024, a thousand is nearly all.
      const clients = await scene.clients(1000 - scene.beside, 'client');
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
    id: 'concurrency/over-ipv6',
    level: 'should',
    title: 'Over ::1 the same holds: partial lines, limit, half-close, pending output, resets',
    sentence: 'It serves on 127.0.0.1 and ::1.',
    cause: 'is a socket that the other listener has accepted set up or served in another way?',
    needs: [
      'framing/rest-of-a-segment-is-kept',
      'framing/crlf-split-across-segments',
      'concurrency/both-families',
      'concurrency/hundred-interleaved',
      'limits/longest-line',
      'limits/line-too-long',
      'half-close/output-is-not-lost',
      'half-close/tail-is-dropped',
      'concurrency/beside-one-silent-client',
      'concurrency/beside-any-partial-line',
      'slow-readers/beside-one',
      'resets/leave-neighbours-alone',
    ],
    run: overIPv6,
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
      const longest = Math.max(2000, Math.min(60_000, (500 * 12) / HOLDERS / byte));
      const clients = await scene.clients(HOLDERS, 'holder');
      await expectAllServed(clients);
      const long = clients.map((_, i) => lineOf(i, 1, Math.round((longest * (i + 1)) / HOLDERS)));
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
    id: 'concurrency/takes-turns',
    level: 'should',
    title: 'A client that sends many lines at once does not keep another waiting for all of them',
    sentence: SIMULTANEOUS,
    cause:
      'does it do all the lines that one recv returned before it looks at another client? Take turns: some of the lines, or some milliseconds',
    needs: ['concurrency/second-client-while-first-idles'],
    async run(scene) {
      const { line } = await paceOf(scene);
      const many = Math.floor(LONG_TURN / line);
      // Whoever is fast does all that a recv returns before anybody notices.
      if (3 * many > MOST_AT_ONCE)
        return `was not tried: it does ${MOST_AT_ONCE / 3} lines in less than ${LONG_TURN / 1000} s`;
      const neighbour = await scene.client('neighbour');
      for (let tries = 1; ; tries++) {
        const sender = await scene.client(`sends ${many} lines at once`);
        for (const one of [sender, neighbour]) await expectEcho(one, 'before\r\n');
        const all = 3 * many;
        const sentAt = performance.now();
        await sender.send('x\r\n'.repeat(many));
        await scene.settle(LONG_TURN / 20); // so that it has begun
        const askedAt = performance.now();
        await neighbour.send('is it my turn?\r\n');
        const turn = await neighbour.receive(16, { timeout: scene.patience + LONG_TURN });
        expectSame(Buffer.from('is it my turn?\r\n'), turn);
        const wait = performance.now() - askedAt;
        await sender.receive(all, { timeout: 3 * (scene.patience + LONG_TURN) });
        const whole = performance.now() - sentAt;
        await sender.close();
        if (wait < Math.max(1000, 0.5 * whole)) return undefined;
        if (tries < 2) continue;
        throw new Failure(
          `while ${many} lines of one client took ${(whole / 1000).toFixed(1)} s, another waited ${(wait / 1000).toFixed(1)} s for the answer to one, twice`,
        );
      }
    },
  },
  {
    id: 'concurrency/out-of-descriptors',
    level: 'should',
    title: 'When descriptors run out, clients are served, and new ones as soon as others have left',
    sentence: 'When the server has no free descriptor (EMFILE), it keeps serving its clients.',
    cause:
      'is EMFILE from accept an error that ends the server, or its accepting? Stop accepting for a moment, and begin again',
    needs: ['concurrency/hundred-interleaved', 'concurrency/leaves-no-descriptors'],
    run: outOfDescriptors,
  },
  {
    id: 'concurrency/beside-hundred-partial-lines',
    level: 'should',
    title: 'Others are served while 100 clients hold partial lines',
    sentence: PARTIAL,
    cause: 'does each unfinished line hold one of a limited number of threads or processes?',
    needs: ['concurrency/beside-one-partial-line', 'framing/rest-of-a-segment-is-kept'],
    run: (scene) => besidePartialLines(scene, 100),
  },
];

async function besidePartialLines(scene: Scene, howMany: number): Promise<void> {
  const bystander = await scene.client('bystander');
  await expectEcho(bystander, 'before\r\n');
  const holders: Client[] = [];
  while (holders.length < howMany) {
    const few = await scene.clients(
      Math.min(4, howMany - holders.length),
      `holder ${holders.length} +`,
    );
    // Of many, each is served before the next ones come: some servers start a process for each.
    const before = howMany > 1 ? 'accepted\r\n' : '';
    for (const one of few) await one.send(`${before}partial line of ${holders.push(one) - 1}`);
    if (before) for (const one of few) await expectAnswer(one, before);
  }
  for (let i = 0; i < 20; i++) await expectEcho(bystander, `meanwhile ${i}\r\n`);
  await expectService(scene, `while ${howMany} clients hold partial lines`);
  for (const [i, holder] of holders.entries()) {
    await holder.send(', completed\r\n');
    const expected = Buffer.from(`partial line of ${i}, completed\r\n`);
    await expectAnswer(holder, expected);
  }
}

/** Who hold long partial lines at the same time: together they are more than a megabyte. */
const HOLDERS = 48;

/** How long the lines take that one client sends at once, in milliseconds, … */
const LONG_TURN = 4000;
/** … and how many bytes of them a recv may well return. */
const MOST_AT_ONCE = 192 * 1024;

/** How many descriptors are left to the server. */
const FEW = 8;

/** Takes the server's descriptors away, all but a few, and gives them back. */
async function outOfDescriptors(scene: Scene): Promise<string | undefined> {
  const owners = Footprint.of(scene.target).startedHere;
  if (owners.length === 0) throw new Unsupported('the server was not started here');
  if (owners.length > 4) throw new Unsupported('too many processes listen');
  const count = () => owners.reduce((sum, pid) => sum + descriptorsOf(pid), 0);
  let before = count();
  // What earlier checks have left is still being closed.
  for (;;) {
    await scene.settle(50);
    const now = count();
    if (now >= before) break;
    before = now;
  }
  const old = await scene.clients(2, 'came early');
  await expectAllServed(old);
  if (count() < before + old.length) {
    throw new Unsupported('it is not the process that listens that has the sockets of its clients');
  }
  const restore: (() => Promise<void>)[] = [];
  try {
    for (const pid of owners) restore.push(await leaveDescriptors(pid, FEW));
    const line = Buffer.from('is there room?\r\n');
    const crowd: Client[] = [];
    while (crowd.length < owners.length * FEW + 4) {
      // Where the backlog is short, there is soon no room in it.
      const one = await scene.client(`one of many ${crowd.length}`).catch(() => undefined);
      if (!one) break;
      one.send(line).catch(() => undefined);
      crowd.push(one);
    }
    await scene.settle(Math.max(200, 4 * scene.moment));
    const served = crowd.filter(({ pending }) => pending > 0);
    for (const one of old) await expectEcho(one, 'while descriptors have run out\r\n');
    const isWaiting = crowd.length < owners.length * FEW + 4 || served.length < crowd.length;
    if (!isWaiting) return 'they did not run out';
    // Who had to wait leaves as well: only the two that came early stay.
    await Promise.all(crowd.map((one) => one.close({ timeout: scene.moment })));
    const until = performance.now() + 2 * scene.patience;
    for (let tries = 0; ; tries++) {
      // Each waits longer than the one before it: who gives up has cost the server something, too.
      const timeout = Math.max(500, 10 * scene.moment) * 2 ** tries;
      const newcomer = await scene.client(`newcomer ${tries}`);
      const answer = newcomer.send(line).then(() => newcomer.receive(line.length, { timeout }));
      const isServed = await answer.then(
        () => true,
        () => false,
      );
      await newcomer.close({ timeout: scene.moment });
      if (isServed) break;
      if (performance.now() < until) continue;
      throw new Failure(
        `descriptors had run out, and are free again for ${Math.round((2 * scene.patience) / 1000)} s, but a new client is not served`,
      );
    }
    for (const one of old) await expectEcho(one, 'still there\r\n');
  } finally {
    for (const one of restore) await one();
  }
  await expectService(scene, 'after descriptors had run out');
  return undefined;
}

/** A few of the other checks, each once, at the server's other address. */
async function overIPv6(scene: Scene): Promise<void> {
  const host = '::1';
  const { byte } = await paceOf(scene);
  const { maxLine } = scene.target;
  const neighbour = await scene.client('over 127.0.0.1');
  const holder = await scene.client('holds a partial line', { host }).catch(() => {
    throw new Unsupported('nobody listens on ::1');
  });
  await holder.send('in front\r\nbegun over ::1\r');
  await expectAnswer(holder, 'in front\r\n');
  await expectEcho(neighbour, 'meanwhile\r\n');

  const longest = await scene.client('sends the longest line', { host });
  await expectEcho(longest, lineOf(61, 1, maxLine));
  const tooLong = await scene.client('sends a line that is too long', { host });
  const before = Buffer.from('before\r\n');
  tooLong
    .send(Buffer.concat([before, Buffer.alloc(maxLine + 4000, 'too long ')]))
    .catch(() => undefined);
  await expectEnd(tooLong, before);
  await tooLong.close({ timeout: scene.moment });

  // Over ::1 segments are large, also to a narrow client, and the kernel takes a megabyte.
  for (const lines of [30, 250, 1500]) {
    if (lines * 1009 * byte > 1000) continue;
    const client = await scene.client(`reads late, ${lines} lines`, { host, ...NARROW });
    const bytes = blockOfLines(lines);
    await leaveOutputPending(client, Buffer.concat([bytes, Buffer.from('unfinished')]));
    client.halfClose().catch(() => undefined);
    await scene.settle(30);
    await expectEcho(neighbour, 'meanwhile\r\n');
    client.resume();
    await expectEnd(client, bytes.subarray(1)); // the first byte has come already
  }
  for (let i = 0; i < 8; i++) {
    const client = await scene.client(`resets ${i}`, { host, ...NARROW });
    await expectEcho(client, 'accepted\r\n');
    if (i % 2 === 0) await client.send('half a li');
    else await leaveOutputPending(client, blockOfLines(150));
    await client.reset();
  }
  await holder.send('\n');
  await expectAnswer(holder, 'begun over ::1\r\n');
  await expectEcho(neighbour, 'after\r\n');
  const newcomer = await scene.client('newcomer', { host });
  await expectEcho(newcomer, 'just come\r\n');
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
