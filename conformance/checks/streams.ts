/** Many bytes to several clients at the same time, every one of them compared. */
import { type Client, ClientError, count } from '../../client/client.ts';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import { linesOf } from '../content.ts';
import { aheadFor, expectAnswer, expectEcho, expectSame, expectStream, NARROW } from '../expect.ts';
import { Flood } from '../flood.ts';
import { paceOf } from '../pace.ts';

const ANY_BYTES =
  'A line is any bytes up to and including CR LF; the echo is those bytes, unchanged.';
const SIMULTANEOUS = 'The server must handle simultaneous connections from multiple clients.';

/** How long lines are begun, in milliseconds: what is on its way is awaited. */
const TIME = 2500;

/** On a busy machine it may take twice as long until each client has begun so many bytes. */
const LEAST = 1024 * 1024;

/** Short lines cost most: so many for a stream, at most twice. */
const MANY_LINES = 20_000;

export const streams: readonly Check[] = [
  {
    id: 'streams/narrow-readers',
    level: 'should',
    title: 'Clients that take little at a time get every byte, each its own',
    sentence: ANY_BYTES,
    cause:
      'when send takes less than it was given, does the rest go out from the right byte, to the right client?',
    needs: [
      'framing/random-lines-32-mib',
      'framing/crlf-split-across-segments',
      'concurrency/hundred-interleaved',
    ],
    async run(scene) {
      const until = performance.now() + TIME;
      const clients: Client[] = [];
      for (let i = 0; i < 8; i++) {
        const client = await scene.client(`narrow ${i}`, { ...NARROW, capacity: 16_384 });
        await expectEcho(client, `accepted ${i}\r\n`);
        clients.push(client);
      }
      const sizes = [300, 7000, 40, 2000, 30_000, 600, 100, 5000];
      const came = await Promise.all(
        clients.map(async (client, i) => {
          const longest = sizes[i] as number;
          const ahead = await aheadFor(scene, longest, 1024 * 1024);
          const bytes = Math.min(2 * 1024 * 1024, MANY_LINES * longest);
          const least = Math.min(LEAST, bytes);
          const latest = until + TIME;
          const isText = i % 4 === 3;
          const stream = { who: i, bytes, ahead, until, least, latest, longest, isText, sip: 8000 };
          return expectStream(client, scene.target.port, stream);
        }),
      );
      return `${count(came.reduce((sum, one) => sum + one, 0))} bytes`;
    },
  },
  {
    id: 'streams/side-by-side',
    level: 'should',
    title: 'Streams of many clients come back whole while others come, leave and reset',
    sentence: SIMULTANEOUS,
    cause:
      'do clients share a buffer for a moment, or does the leaving of one touch what belongs to another?',
    needs: [
      'framing/random-lines-32-mib',
      'framing/crlf-split-across-segments',
      'concurrency/hundred-interleaved',
      'resets/mid-line',
    ],
    async run(scene) {
      const until = performance.now() + TIME;
      const clients = await scene.clients(10, 'stream');
      for (const [i, client] of clients.entries()) await expectEcho(client, `accepted ${i}\r\n`);
      let isDone = false;
      const visits = (async () => {
        for (let i = 0; !isDone; i++) {
          const visitor = await scene.client(`visitor ${i}`);
          const line = Buffer.from(`visit ${i}\r\n`);
          await visitor.send(Buffer.concat([line, Buffer.from(`left behind by ${i}`)]));
          await expectAnswer(visitor, line);
          if (i % 3 === 0) await visitor.close({ timeout: scene.moment });
          else if (i % 3 === 1) await visitor.reset();
          else await visitor.destroy();
          await scene.settle(2);
        }
      })();
      const streaming = clients.map(async (client, i) => {
        const longest = [20, 1000, 5000, 200, 20_000][i % 5] as number;
        const ahead = await aheadFor(scene, longest, 256 * 1024);
        const bytes = Math.min(2 * 1024 * 1024, MANY_LINES * longest);
        return expectStream(client, scene.target.port, {
          who: 20 + i,
          bytes,
          ahead,
          until,
          longest,
        });
      });
      const all = Promise.all(streaming).finally(() => {
        isDone = true;
      });
      const [came] = await Promise.all([all, visits]);
      return `${count(came.reduce((sum, one) => sum + one, 0))} bytes`;
    },
  },
  {
    id: 'streams/beside-one-that-floods',
    level: 'should',
    title: 'Neighbours and newcomers are served while clients send and read as fast as they can',
    sentence: SIMULTANEOUS,
    cause:
      'does it serve one client for as long as there is something to read, before it looks at others?',
    needs: [
      'framing/random-lines-32-mib',
      'concurrency/second-client-while-first-idles',
      'resets/mid-answer',
    ],
    async run(scene) {
      const { line } = await paceOf(scene);
      if (line > 2) throw new Unsupported('too slow to tell: a flood would take it minutes');
      const neighbour = await scene.client('neighbour');
      await expectEcho(neighbour, 'before\r\n');
      for (const longest of [4, 4000]) await besideFlood(scene, neighbour, longest);
    },
  },
];

/** Some clients flood and read, and throw away what they read; older and newer ones come between. */
async function besideFlood(scene: Scene, neighbour: Client, longest: number): Promise<void> {
  const flooder = await scene.client(`floods with lines of up to ${longest} bytes`);
  await expectEcho(flooder, 'accepted\r\n');
  // They share what a slow server can take at a time.
  const ahead = (await aheadFor(scene, longest, 8 * 1024 * 1024)) / 4;
  const block = linesOf(7, 1, Math.min(ahead, 256 * 1024), longest);
  const younger = await scene.client('younger neighbour');
  await expectEcho(younger, 'before\r\n');
  const most = Math.max(ahead, 2 * block.length);
  const others = await Flood.start(scene.target, block, most, scene.patience);
  let isOver = false;
  const limit = 192 * 1024 * 1024;
  const flooding = (async () => {
    // A megabyte is on its way all the time: its input must never run dry.
    while (!isOver && !flooder.ending && flooder.offered < limit) {
      while (flooder.offered - flooder.received > most && !isOver) {
        await flooder.receiveSome().catch(() => undefined);
        if (flooder.ending) return;
      }
      flooder.send(block).catch(() => undefined);
      while (flooder.pending > 0) await flooder.receiveSome();
      await scene.settle(0);
    }
  })();
  flooding.catch(() => undefined);
  const received = () => flooder.received + others.received;
  try {
    const until = performance.now() + TIME;
    // Turns before the flood is under way tell little.
    const isEnough = (turns: number) => turns >= 15 && received() >= FLOOD;
    for (let i = 0; !isEnough(i) && performance.now() < until; i++) {
      await expectTurn(scene, neighbour, received, 'an older client');
      await expectTurn(scene, younger, received, 'a younger client');
      if (i % 5 === 0) {
        const newcomer = await scene.client(`newcomer ${i}`);
        await expectTurn(scene, newcomer, received, 'a new client');
        await newcomer.close({ timeout: scene.moment });
      }
      await scene.settle(10);
    }
  } finally {
    isOver = true;
    await others.stop();
    await flooder.destroy();
    await flooding.catch(() => undefined);
  }
}

/** After so many bytes, a flood goes on as it is. */
const FLOOD = 16 * 1024 * 1024;

/**
 * So many bytes for those who flood before another gets a line are no accident. A fair loop may take megabytes:
 * libuv reads up to 32 times 64 KiB from each socket in one turn, and a newcomer needs two turns, one to be
 * accepted and one to be read. With five that flood, that is 20 MiB.
 */
const UNFAIR = 24 * 1024 * 1024;

/** Expects an answer, if not at once, then before those who flood have got megabytes more. */
async function expectTurn(scene: Scene, client: Client, received: () => number, who: string) {
  const line = Buffer.from('is it my turn?\r\n');
  const before = received();
  const until = performance.now() + 3 * scene.patience;
  await client.send(line);
  for (;;) {
    const answer = await client.receive(line.length).catch((error: ClientError) => error);
    if (!(answer instanceof ClientError)) return expectSame(line, answer);
    if (answer.reason !== 'timeout') throw answer;
    const more = received() - before;
    if (more >= UNFAIR) {
      throw new Failure(
        `while some clients flood, ${who} is not served: ${answer.message}; they got ${count(more)} bytes meanwhile`,
      );
    }
    if (performance.now() > until) throw new Unsupported('too slow to tell beside a flood');
  }
}
