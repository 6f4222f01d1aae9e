/** How long a line may be, and what an endless one may cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, count } from '../../client/client.ts';
import { type Check, Failure, Unsupported } from '../check.ts';
import {
  blockOfLines,
  expectAnswer,
  expectEcho,
  expectEnd,
  expectSame,
  expectService,
  NARROW,
} from '../expect.ts';

const LIMIT =
  'A line longer than the limit ends that connection after the lines before it were echoed.';

export const limits: readonly Check[] = [
  {
    id: 'limits/longest-line',
    level: 'should',
    title: 'A line of just the limit is echoed',
    sentence: LIMIT,
    cause: 'is its line buffer smaller than the limit, the terminator included?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      const line = Buffer.from(`${'x'.repeat(scene.target.maxLine - 2)}\r\n`);
      await expectEcho(client, line);
      // Once more, with the line end in a segment of its own.
      await client.play(line.subarray(0, 30_000), line.subarray(30_000, -2), scene.moment, '\r\n');
      await expectAnswer(client, line);
    },
  },
  {
    id: 'limits/longest-line-behind-others',
    level: 'should',
    title: 'A line of just the limit is echoed behind other lines, too',
    sentence: LIMIT,
    cause:
      'does its limit count what came before the line, in the same segment or in the same read?',
    needs: [
      'limits/longest-line',
      'framing/many-lines-in-one-segment',
      'framing/rest-of-a-segment-is-kept',
    ],
    async run(scene) {
      const client = await scene.client();
      const line = Buffer.from(`${'x'.repeat(scene.target.maxLine - 2)}\r\n`);
      const short = Buffer.from('short\r\n');
      await expectEcho(client, Buffer.concat([short, line, short, line, line]));
      await client.send(Buffer.concat([short, line.subarray(0, 20_000)]));
      await expectAnswer(client, short);
      await client.play(line.subarray(20_000, -2), scene.moment, '\r\n');
      await expectAnswer(client, line);
    },
  },
  {
    id: 'limits/line-too-long',
    level: 'should',
    title: 'A line one byte longer ends the connection, after the lines before it',
    sentence: LIMIT,
    cause:
      'is there no limit on a line, does it count characters and not bytes, or does closing with unread input reset the connection and lose the echo?',
    needs: ['framing/one-line'],
    async run(scene) {
      const before = Buffer.from('before\r\n');
      // Bytes count, not characters: the second line has a third as many of these.
      for (const fill of ['x', '€']) {
        const client = await scene.client(`sends a line of ${fill}`);
        const long = Buffer.alloc(scene.target.maxLine - 1, fill);
        // What is behind it is not echoed: the connection is at its end.
        client.send(Buffer.concat([before, long, Buffer.from('\r\nbehind\r\n')]));
        await expectEnd(client, before);
        await client.close();
        await expectService(scene, 'after a line that was too long');
      }
    },
  },
  {
    id: 'limits/line-too-long-with-more-behind',
    level: 'should',
    title: 'A line that is too long, with much behind it, loses nothing of what came before it',
    sentence: LIMIT,
    cause:
      'does it close with input unread? The kernel then resets the connection, and throws away what was on its way',
    needs: ['limits/line-too-long'],
    async run(scene) {
      for (const [before, behind] of [
        [40, 512],
        [3, 256],
        [60, 1024],
        // More than the kernel takes: some of it is pending in the server.
        [150, 64],
        [250, 64],
      ] as const) {
        // Narrow, and not reading: the echo is still on the server's side when the long line comes.
        const client = await scene.client(`with ${behind} KiB behind`, NARROW);
        await expectEcho(client, 'accepted\r\n');
        client.pause();
        const lines = blockOfLines(before);
        const long = Buffer.alloc(scene.target.maxLine + behind * 1024, 'too long ');
        for (const bytes of [lines, long]) client.send(bytes).catch(() => undefined);
        await sleep(30); // no longer: servers wait only so long for a client whose line was too long
        client.resume();
        const got = await client.receive(lines.length).catch((error: Error) => {
          const came = client.peek(lines.length);
          expectSame(lines.subarray(0, came.length), came);
          throw new Failure(
            `${count(came.length)} of the ${count(lines.length)} bytes before the line that was too long came back: ${error.message}`,
          );
        });
        expectSame(lines, got);
        await client.destroy();
      }
      await expectService(scene, 'after lines that were too long');
    },
  },
  {
    id: 'limits/endless-line',
    level: 'should',
    title: 'An endless line is not taken for ever',
    sentence: 'Memory per connection is bounded, whatever the client does.',
    cause: 'does it buffer an unfinished line without a limit?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      const block = Buffer.alloc(64 * 1024, 'endless ');
      const bound = 64 * 1024 * 1024;
      let outcome = 'limit';
      while (outcome === 'limit' && client.ending === undefined && client.taken < bound) {
        outcome = await client.flood(block, { limit: 1024 * 1024, stall: scene.patience / 2 });
        await sleep(1); // let the server's FIN be seen
      }
      expectSame(Buffer.alloc(0), client.peek());
      const { taken } = client;
      const goesOn = outcome === 'stalled' && (await takesMore(client, block, scene.patience));
      if (goesOn) {
        throw new Unsupported(
          `too slow to tell: it had taken ${count(taken)} bytes of a line without an end, and went on`,
        );
      }
      if (client.taken >= bound) {
        throw new Failure(`the server took ${count(client.taken)} bytes of a line without an end`);
      }
      await client.destroy();
      await expectService(scene, 'after an endless line');
    },
  },
];

/** Whether a server that had stopped taking bytes was only slow. */
async function takesMore(client: Client, block: Buffer, patience: number): Promise<boolean> {
  const { taken } = client;
  await client.flood(block, { limit: 1024 * 1024, stall: patience });
  return client.taken > taken && client.ending === undefined;
}
