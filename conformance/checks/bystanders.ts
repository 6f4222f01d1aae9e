/** Clients that come early, wait while others are judged, and are looked at last. */
import type { Client } from '../../client/client.ts';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import { lineOf } from '../content.ts';
import {
  blockOfLines,
  expectAnswer,
  expectEcho,
  expectEnd,
  expectRepeated,
  leaveOutputPending,
  NARROW,
  sendTooLong,
} from '../expect.ts';
import { paceOf } from '../pace.ts';
import { HELD_UP, isWithTheKernel } from '../queues.ts';

const STAYS = 'Nothing a client does (reset, flood, half a line, silence) ends another connection.';
const PARTIAL = 'A partial line waits for its CR LF, however the bytes are split.';
const HALF_CLOSE =
  "After the client's FIN every complete line still goes back, then the server closes.";
const NOTHING_LOST = 'Nothing that was accepted is lost if the client resumes.';

/** Longer than the usual time-outs, in milliseconds; shorter only where every wait is. */
function silenceOf({ target, patience }: Scene): number {
  return target.silence ?? Math.min(31_000, 6.2 * patience);
}

/** Where one of them would stop everybody, none is left open beside the checks that follow. */
const needs = [
  'framing/one-line',
  'concurrency/hundred-interleaved',
  'concurrency/beside-one-silent-client',
  'concurrency/beside-any-partial-line',
];

/** A line behind which a partial one comes: its answer shows that the server has read it. */
const FIRST = 'accepted\r\n';

export const bystanders: readonly Check[] = [
  {
    id: 'bystanders/silent',
    level: 'should',
    title: 'A client that says nothing for half a minute is served when it speaks',
    sentence: STAYS,
    cause: 'is there a time-out for idle connections, or has another client ended this one?',
    needs,
    async prepare(scene) {
      const [, spoke] = await scene.clients(2, 'silent');
      await expectEcho(spoke as Client, FIRST);
    },
    async run(scene) {
      await wait(scene);
      for (const client of scene.bystanders) {
        await expectEcho(client, 'still here\r\n').catch(explained(scene, 'was silent'));
        await expectEcho(client, 'and going on\r\n');
      }
    },
  },
  {
    id: 'bystanders/partial-lines',
    level: 'should',
    title: 'A partial line is still there half a minute later',
    sentence: PARTIAL,
    cause: 'is there a time-out for an unfinished line, or has another client wiped it?',
    needs: [...needs, 'limits/longest-line'],
    async prepare(scene) {
      for (const [i, length] of PARTIAL_LENGTHS.entries()) {
        const client = await scene.client(`holds ${length} bytes`);
        await client.send(Buffer.concat([Buffer.from(FIRST), partialOf(i, length)]));
        await expectAnswer(client, FIRST);
      }
    },
    async run(scene) {
      await wait(scene);
      for (const [i, client] of scene.bystanders.entries()) {
        const partial = partialOf(i, PARTIAL_LENGTHS[i] as number);
        // One is cut behind its CR, the others in the middle.
        const rest = i === 0 ? '\n' : ' and the rest\r\n';
        client.send(rest).catch(() => undefined);
        await expectAnswer(client, Buffer.concat([partial, Buffer.from(rest)])).catch(
          explained(scene, 'held a partial line'),
        );
        await expectEcho(client, 'and going on\r\n');
      }
    },
  },
  {
    id: 'bystanders/lone-cr-and-lf',
    level: 'should',
    title: 'A partial line with lone CRs and LFs in it is still there half a minute later',
    sentence: PARTIAL,
    cause: 'is something done, after a time, with what a lone LF seems to end?',
    needs: [...needs, 'framing/lone-lf-is-a-byte', 'framing/lone-cr-is-a-byte'],
    async prepare(scene) {
      for (const partial of WITH_LONE_ENDS) {
        const client = await scene.client(`holds ${JSON.stringify(partial)}`);
        await client.send(FIRST + partial);
        await expectAnswer(client, FIRST);
      }
    },
    async run(scene) {
      await wait(scene);
      for (const [i, client] of scene.bystanders.entries()) {
        const rest = '\nthe end\r\n';
        client.send(rest).catch(() => undefined);
        await expectAnswer(client, `${WITH_LONE_ENDS[i]}${rest}`).catch(
          explained(scene, 'held a partial line with lone CRs and LFs'),
        );
        await expectEcho(client, 'and going on\r\n');
      }
    },
  },
  {
    id: 'bystanders/pending-output',
    level: 'should',
    title: 'Output that nobody has read for half a minute is still delivered',
    sentence: NOTHING_LOST,
    cause:
      'is there a time-out for sending, or has another client wiped what was pending, or added to it?',
    needs: [...needs, 'slow-readers/beside-one', 'slow-readers/resumes-and-gets-everything'],
    async prepare(scene) {
      for (const [i, options] of [NARROW, {}].entries()) {
        const client = await scene.client('reads late', options);
        await expectEcho(client, FIRST);
        client.pause();
        const limit = i === 0 ? 512 * 1024 : 24 * 1024 * 1024;
        await client.flood(blockOf(i), { limit, stall: Math.max(100, scene.moment) });
      }
    },
    async run(scene) {
      await wait(scene);
      for (const [i, client] of scene.bystanders.entries()) {
        client.resume();
        await expectFlooded(client, blockOf(i)).catch((error: Error) => {
          if (isWithTheKernel(scene.target.port, client)) throw new Unsupported(HELD_UP);
          return explained(scene, 'did not read')(error);
        });
        await expectEcho(client, 'and going on\r\n');
      }
    },
  },
  {
    id: 'bystanders/half-closed',
    level: 'should',
    title: 'Output that is pending at the FIN is still delivered 15 seconds later',
    sentence: HALF_CLOSE,
    cause: "is there a time-out that begins with the client's FIN, and ends what is still pending?",
    needs: [
      ...needs,
      'half-close/output-is-not-lost',
      'half-close/again-and-again',
      'slow-readers/beside-one',
    ],
    async prepare(scene) {
      const { byte } = await paceOf(scene);
      const clients = await scene.clients(UNREAD.length, 'has sent its FIN', NARROW);
      const expected = UNREAD.map((lines, i) =>
        blockOfLines(Math.min(lines, Math.ceil(2 / byte)), 'xyz'.charAt(i)),
      );
      for (const [i, client] of clients.entries()) {
        await expectEcho(client, FIRST);
        await leaveOutputPending(client, expected[i] as Buffer);
        client.halfClose().catch(() => undefined); // it leaves behind the lines, whenever these do
      }
      const later = async () => {
        await scene.settle(Math.min(AFTER_FIN, silenceOf(scene) / 2));
        const one = async (client: Client, i: number) => {
          client.resume();
          await expectEnd(client, (expected[i] as Buffer).subarray(1)).catch((error: Error) => {
            if (isWithTheKernel(scene.target.port, client)) throw new Unsupported(HELD_UP);
            return explained(scene, 'had sent its FIN and not read')(error);
          });
        };
        await Promise.all(clients.map(one));
        return undefined;
      };
      goesOn(scene, later());
    },
    run: async (scene) => underWay.get(scene),
  },
  {
    id: 'bystanders/lines-too-long',
    level: 'should',
    title: 'When several clients send lines that are too long, each connection is ended as one is',
    sentence: 'A line longer than the limit ends that connection.',
    cause:
      'do clients share what ends a connection: one timer, one flag, one place to note down who is to go?',
    needs: [...needs, 'limits/line-too-long'],
    async prepare(scene) {
      const { byte } = await paceOf(scene);
      if (byte * scene.target.maxLine > 500) throw new Unsupported('too slow to tell');
      // All are there before: whoever comes later may be turned away for what another check does meanwhile.
      const [first, ...others] = await scene.clients(4, 'sends on');
      for (const client of [first, ...others]) await expectEcho(client as Client, FIRST);
      const alone = await goesOnSending(scene, first as Client);
      const later = async () => {
        const time = await alone.end(MAY_GO_ON);
        if (time === undefined) return `one may send for ${MAY_GO_ON / 1000} s, and longer`;
        const several: Awaited<ReturnType<typeof goesOnSending>>[] = [];
        for (const client of others) {
          several.push(await goesOnSending(scene, client));
          await scene.settle(Math.min(300, time / 4));
        }
        const most = 3 * time + MAY_GO_ON / 2;
        const times = await Promise.all(several.map((one) => one.end(most)));
        const left = times.filter((one) => one === undefined).length;
        if (left === 0) return undefined;
        throw new Failure(
          `a client alone whose line was too long could send for ${seconds(time)} more; of 3 at the same time, ${left} still could after ${seconds(most)}`,
        );
      };
      goesOn(scene, later());
    },
    run: async (scene) => underWay.get(scene),
  },
  {
    id: 'bystanders/many-pieces',
    level: 'should',
    title: 'A line that comes in thousands of pieces is one line',
    sentence: PARTIAL,
    cause:
      'is every piece of a line noted down in a list that is full at some time (an iovec has 1,024 entries at most), or is there a time-out that begins with the first?',
    needs: [...needs, 'framing/one-byte-at-a-time', 'limits/longest-line'],
    async prepare(scene) {
      const client = await scene.client('drips');
      await expectEcho(client, FIRST);
      const later = async () => {
        // A shorter wait for bystanders means fewer pieces: a millisecond each.
        const line = lineOf(60, 1, Math.min(PIECES, silenceOf(scene)));
        await client.sendBytewise(line, 1).catch(() => undefined); // what comes back tells more
        await expectAnswer(client, line);
        await expectEcho(client, 'and the next one\r\n');
        return undefined;
      };
      goesOn(scene, later());
    },
    run: async (scene) => underWay.get(scene),
  },
  {
    id: 'bystanders/successors',
    level: 'should',
    title: 'Who comes right after a client that was cut off, or has vanished, keeps its connection',
    sentence: STAYS,
    cause:
      'is something still due for the client before it: a timer, a second close, an event for a descriptor that is now another client?',
    needs: [
      ...needs,
      'concurrency/nothing-is-inherited',
      'limits/line-too-long',
      'half-close/again-and-again',
      'resets/mid-line',
      'resets/mid-answer',
    ],
    async prepare(scene) {
      for (const [i, leave] of LEAVING.entries()) {
        const gone = await scene.client(`leaves ${i}`, NARROW);
        await expectEcho(gone, FIRST);
        await leave(gone, scene);
        await scene.quiet(); // its descriptor is free now, and is mostly the next one's
        const client = await scene.client(`comes after ${i}`);
        await client.send(Buffer.concat([Buffer.from(FIRST), partialOf(i, 100)]));
        await expectAnswer(client, FIRST);
      }
    },
    async run(scene) {
      await wait(scene);
      const successors = scene.bystanders.filter((_, i) => i % 2 === 1); // each behind one that left
      for (const [i, client] of successors.entries()) {
        client.send('...\r\n').catch(() => undefined);
        await expectAnswer(
          client,
          Buffer.concat([partialOf(i, 100), Buffer.from('...\r\n')]),
        ).catch(explained(scene, 'came after one that was gone and said nothing'));
        await expectEcho(client, 'and going on\r\n');
      }
    },
  },
];

/** How those leave whose descriptors others get. */
const LEAVING: readonly ((client: Client, scene: Scene) => Promise<unknown>)[] = [
  async (client, { target }) => {
    await sendTooLong(client, target);
    await client.destroy();
  },
  async (client, { target }) => {
    await sendTooLong(client, target);
    await client.reset();
  },
  async (client) => {
    await leaveOutputPending(client, blockOfLines(100, 'p'));
    await client.halfClose();
    await client.reset();
  },
  async (client) => {
    await client.send('begun');
    await client.reset();
  },
];

/** What goes on while others are judged, by the scene that it belongs to. */
const underWay = new WeakMap<Scene, Promise<string | undefined>>();

function goesOn(scene: Scene, work: Promise<string | undefined>): void {
  work.catch(() => undefined); // `run` awaits it
  underWay.set(scene, work);
}

/** In lines of 1009 bytes: what is pending at the FIN is in the kernel, or in the server, too. */
const UNREAD = [60, 250, 600];

/** In bytes, a millisecond apart: on a busy machine, the server finds several of them at once now and then. */
const PIECES = 2000;

/** In milliseconds: less than the half minute that balancers mostly wait for the other side's FIN. */
const AFTER_FIN = 15_000;

/** How long a client whose line was too long may go on sending, in milliseconds, before nobody waits longer. */
const MAY_GO_ON = 6000;

/** A client whose line was too long: it has got the FIN, and sends on until it is reset. */
async function goesOnSending(
  scene: Scene,
  client: Client,
): Promise<{ end(most: number): Promise<number | undefined> }> {
  await sendTooLong(client, scene.target);
  const since = performance.now();
  /** @returns milliseconds; undefined when it was not reset within `most` */
  const end = async (most: number) => {
    while (performance.now() - since < most) {
      try {
        await client.send('and on ');
      } catch {
        return performance.now() - since;
      }
      await scene.settle(100);
    }
    return undefined;
  };
  return { end };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** So many bytes of a line stand at the end of a block. */
const BEGUN = 500;

/**
 * What a bystander floods with: the signs of the first one are not those of the second. It begins and ends in
 * the middle of a line: a server that reads a whole block holds a partial line while its answer is pending.
 */
function blockOf(i: number): Buffer {
  const lines = blockOfLines(64, 'ab'.charAt(i));
  return Buffer.concat([lines.subarray(BEGUN), lines.subarray(0, BEGUN)]);
}

/** Ends the line that the flood has begun, and expects all of it. */
async function expectFlooded(client: Client, block: Buffer): Promise<void> {
  const rest = 'is all there is\r\n';
  const complete = client.offered - FIRST.length - BEGUN;
  client.send(rest).catch(() => undefined);
  await expectRepeated(client, block, complete);
  await expectAnswer(client, Buffer.concat([block.subarray(-BEGUN), Buffer.from(rest)]), complete);
}

/** None ends in CR: it would be whole with the LF that follows. */
const WITH_LONE_ENDS = ['unix\nlines\n', 'a\rb\r\rc', '\n'];

const PARTIAL_LENGTHS = [12, 900, 20_000, 50_000];

/** What a bystander has sent of its line: the first one's ends in CR. */
function partialOf(i: number, length: number): Buffer {
  return lineOf(50 + i, 1, length).subarray(0, i === 0 ? -1 : -2);
}

async function wait(scene: Scene): Promise<void> {
  await scene.settle(Math.max(0, silenceOf(scene) - scene.age));
}

/** Says how long it was that the client did nothing. */
function explained(scene: Scene, what: string): (error: Error) => never {
  return (error) => {
    if (error.name === 'Unsupported') throw error;
    const seconds = Math.round(scene.age / 1000);
    const difference = error instanceof Failure ? error.difference : undefined;
    throw new Failure(`after a client ${what} for ${seconds} s: ${error.message}`, difference);
  };
}
