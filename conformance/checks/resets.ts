/** Clients that leave without a word. */
import { type Client, count, escapeBytes } from '../../client/client.ts';
import { type Check, Failure, type Scene } from '../check.ts';
import { lineOf } from '../content.ts';
import {
  blockOfLines,
  expectAnswer,
  expectEcho,
  expectService,
  leaveOutputPending,
  NARROW,
} from '../expect.ts';
import { paceOf } from '../pace.ts';

const NOTHING_ENDS_IT = 'Nothing a client does ends the server or another connection.';

/** Where neighbours are needed. */
const SEVERAL = ['concurrency/hundred-interleaved'];

export const resets: readonly Check[] = [
  {
    id: 'resets/mid-line',
    level: 'should',
    title: 'A reset in the middle of a line',
    sentence: NOTHING_ENDS_IT,
    cause: 'is ECONNRESET from recv an error that ends the server?',
    needs: ['framing/one-line'],
    async run(scene) {
      for (let i = 0; i < 20; i++) {
        const client = await scene.client(`resets ${i}`);
        // The line in front shows that half of the next has been read: the reset comes on top.
        await client.send('accepted\r\nhalf a li');
        await expectAnswer(client, 'accepted\r\n');
        await client.reset();
      }
      await expectService(scene, 'after resets in the middle of a line');
    },
  },
  {
    id: 'resets/mid-answer',
    level: 'should',
    title: 'A reset while the answer is under way',
    sentence: NOTHING_ENDS_IT,
    cause: 'does send to a client that is gone end the server: EPIPE, or SIGPIPE unhandled?',
    needs: ['framing/one-line'],
    async run(scene) {
      for (let i = 0; i < 5; i++) {
        const client = await scene.client(`resets ${i}`);
        await expectEcho(client, 'accepted\r\n');
        client.pause();
        await client.flood(blockOfLines(), { limit: 16 * 1024 * 1024, stall: scene.moment });
        await client.reset();
      }
      // Whoever closes while lines are on their way resets at the first answer. The next one meets EPIPE.
      for (const length of [20, 1000, 16_000, 60_000]) {
        const client = await scene.client(`leaves before its answers of ${length}`);
        await expectEcho(client, 'accepted\r\n');
        const lines = Array.from({ length: Math.ceil(64_000 / length) + 3 }, (_, n) =>
          lineOf(7, n, length),
        );
        client.send(Buffer.concat(lines)).catch(() => undefined);
        await client.destroy();
      }
      await expectService(scene, 'after resets in the middle of an answer');
    },
  },
  {
    id: 'resets/connect-and-vanish',
    level: 'should',
    title: 'Clients that connect and vanish at once',
    sentence: NOTHING_ENDS_IT,
    cause: 'is an error from accept, or from a connection that is gone already, taken for fatal?',
    needs: ['framing/one-line'],
    async run(scene) {
      for (let i = 0; i < 50; i++) {
        const client = await scene.client(`vanishes ${i}`);
        await (i % 2 === 0 ? client.reset() : client.destroy());
      }
      await expectService(scene, 'after clients that vanished');
    },
  },
  {
    id: 'resets/leave-neighbours-alone',
    level: 'should',
    title: 'What neighbours have begun survives hundreds of resets',
    sentence: NOTHING_ENDS_IT,
    cause:
      'does a reset end or empty what other clients share with it: a buffer, a process, a table of descriptors?',
    needs: [
      ...['resets/mid-line', 'resets/mid-answer', 'resets/connect-and-vanish', ...SEVERAL],
      'slow-readers/beside-one', // somebody does not read all the while
    ],
    async run(scene) {
      const { line } = await paceOf(scene);
      const visits = Math.max(10, Math.min(100, Math.floor(1000 / (2 * line + scene.moment / 20))));
      const neighbours = await scene.clients(8, 'neighbour');
      const partials = neighbours.map((_, i) => lineOf(i, 1, 40 + i * 500).subarray(0, -2));
      for (const [i, neighbour] of neighbours.entries()) {
        await neighbour.send(Buffer.concat([FIRST, partials[i] as Buffer]));
        await expectAnswer(neighbour, FIRST);
      }
      const late = await scene.client('reads late', NARROW);
      await expectEcho(late, FIRST);
      const idle = await scene.client('idle');
      await expectEcho(idle, FIRST);
      const lines = blockOfLines(300, 'l');
      await leaveOutputPending(late, lines);
      for (const kind of KINDS) {
        for (let i = 0; i < visits; i++) await resetsOne(scene, kind, i);
        await expectEcho(idle, 'still there\r\n');
      }
      for (const [i, neighbour] of neighbours.entries()) {
        await neighbour.send('.\r\n');
        await expectAnswer(neighbour, Buffer.concat([partials[i] as Buffer, Buffer.from('.\r\n')]));
      }
      late.resume();
      await expectAnswer(late, lines.subarray(1), 1); // the first byte has come already
      await expectService(scene, `after ${count(visits * KINDS.length)} resets`);
      return `${count(visits * KINDS.length)} resets`;
    },
  },
  {
    id: 'resets/leave-nothing-to-others',
    level: 'should',
    title: 'Who comes after a reset gets nothing that was meant for the client that is gone',
    sentence: NOTHING_ENDS_IT,
    cause:
      'is a buffer or pending output kept for a descriptor or a port, and not emptied when another client gets it?',
    needs: ['resets/mid-line', 'resets/mid-answer', 'concurrency/nothing-is-inherited'],
    async run(scene) {
      for (let i = 0; i < 24; i++) {
        const gone = await resetsOne(scene, i % 2 === 0 ? 'in mid-line' : 'with output pending', i);
        const newcomer = await whoComesAfter(scene, gone, i);
        await expectEcho(newcomer, `mine ${i}\r\n`);
        await expectEcho(newcomer, `mine again ${i}\r\n`);
        if (newcomer.pending > 0) {
          throw new Failure(`a newcomer got "${escapeBytes(newcomer.peek(40))}" besides its own`);
        }
        await newcomer.close({ timeout: scene.moment });
      }
    },
  },
];

const KINDS = ['at once', 'in mid-line', 'after FIN', 'with output pending'] as const;

/** A new client; every third has the address and the port of the one that is gone. */
async function whoComesAfter(scene: Scene, gone: Client, i: number): Promise<Client> {
  const name = `newcomer ${i}`;
  if (i % 3 !== 0) return scene.client(name);
  return scene.client(name, { from: gone.local }).catch(() => scene.client(name));
}

async function resetsOne(scene: Scene, kind: (typeof KINDS)[number], i: number): Promise<Client> {
  const options = kind === 'with output pending' ? NARROW : {};
  const client = await scene.client(`resets ${kind} ${i}`, options);
  if (kind !== 'at once' || i % 4 === 3) {
    await client.send(Buffer.concat([FIRST, Buffer.from(`half a line of ${i}`)]));
    await expectAnswer(client, FIRST);
  }
  if (kind === 'after FIN') await client.halfClose();
  if (kind === 'with output pending') {
    await leaveOutputPending(client, PENDING);
    await scene.settle(1);
  }
  await client.reset();
  return client;
}

const FIRST = Buffer.from('accepted\r\n');
const PENDING = blockOfLines(150, 'r');
