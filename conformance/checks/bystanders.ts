/** Clients that come early, wait while others are judged, and are looked at last. */
import type { Client } from '../../client/client.ts';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import { lineOf } from '../content.ts';
import { blockOfLines, expectAnswer, expectEcho, expectRepeated, NARROW } from '../expect.ts';
import { isWithTheKernel } from '../queues.ts';

const STAYS = 'Nothing a client does (reset, flood, half a line, silence) ends another connection.';
const PARTIAL = 'A partial line waits for its CR LF, however the bytes are split.';
const NOTHING_LOST = 'Nothing that was accepted is lost if the client resumes.';

/** Longer than the usual time-outs, in milliseconds; shorter only where every wait is. */
function silenceOf({ target, patience }: Scene): number {
  return target.silence ?? Math.min(31_000, 6.2 * patience);
}

/** Where one of them would stop everybody, none is left open beside the checks that follow. */
const needs = ['framing/one-line', 'concurrency/hundred-interleaved'];

/** A line behind which a partial one comes: its answer shows that the server has read it. */
const FIRST = 'accepted\r\n';

export const bystanders: readonly Check[] = [
  {
    id: 'bystanders/silent',
    level: 'should',
    title: 'A client that says nothing for half a minute is served when it speaks',
    sentence: STAYS,
    cause: 'is there a time-out for idle connections, or has another client ended this one?',
    needs: [...needs, 'concurrency/beside-one-silent-client'],
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
    needs: [...needs, 'concurrency/beside-any-partial-line', 'limits/longest-line'],
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
];

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

const HELD_UP =
  'the server owes nothing: the kernel on this side has not yet sent it the rest (its receive buffer is very small)';

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
