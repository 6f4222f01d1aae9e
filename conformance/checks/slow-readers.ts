/** Clients that do not read what they are sent. */
import { count } from '../../client/client.ts';
import { type Check, Failure, type Scene } from '../check.ts';
import { blockOfLines, expectEcho, expectEnd, expectRepeated, expectService } from '../expect.ts';

const OTHERS =
  'It must not stop responding to other clients when one client stops reading its responses.';
const BACKPRESSURE =
  "While a connection's output is pending, the server does not read from it; nothing that was " +
  'accepted is lost if the client resumes.';

/** One line first: that a connection exists does not mean that it was accepted. */
const FIRST = 'accepted\r\n';

/** Kernel buffers swallow several megabytes; right servers were seen to take 17 MiB. */
const MUST_HAVE_STALLED = 192 * 1024 * 1024;

export const slowReaders: readonly Check[] = [
  {
    id: 'slow-readers/beside-one',
    level: 'must',
    title: 'Others are served while one client does not read',
    sentence: OTHERS,
    cause: 'does it wait in send to one client while others wait for it?',
    needs: ['framing/one-line', 'concurrency/second-client-while-first-idles'],
    run: (scene) => besideNeverReaders(scene, 1),
  },
  {
    id: 'slow-readers/beside-twenty',
    level: 'should',
    title: 'Others are served while 20 clients do not read',
    sentence: OTHERS,
    cause:
      'does each client that does not read hold one of a limited number of threads or processes?',
    needs: ['slow-readers/beside-one'],
    run: (scene) => besideNeverReaders(scene, 20),
  },
  {
    id: 'slow-readers/server-stops-taking',
    level: 'should',
    title: 'The server stops taking bytes from a client that never reads',
    sentence: BACKPRESSURE,
    cause:
      'does it read on while its output to that client is pending, and keep the output in memory or throw it away?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await neverReader(scene, 'never reads', MUST_HAVE_STALLED);
      const { taken } = client;
      if (taken >= MUST_HAVE_STALLED) {
        throw new Failure(`the server took ${count(taken)} bytes from a client that never reads`);
      }
      if (client.ending === 'reset')
        throw new Failure('the server reset a client that does not read');
    },
  },
  {
    id: 'slow-readers/resumes-and-gets-everything',
    level: 'should',
    title: 'A client that resumes reading gets every byte',
    sentence: BACKPRESSURE,
    cause: 'is output dropped when send takes less than it was given, or would block?',
    needs: ['framing/one-line', 'framing/many-lines-in-one-segment'],
    async run(scene) {
      const client = await neverReader(scene, 'reads late', 64 * 1024 * 1024);
      client.resume();
      await expectRepeated(client, blockOfLines(), client.offered - FIRST.length);
      await client.halfClose();
      await expectEnd(client, Buffer.alloc(0));
    },
  },
];

/** A client that has sent and not read until the server took no more, or `limit` bytes. */
export async function neverReader(scene: Scene, name: string, limit: number) {
  const client = await scene.client(name);
  await expectEcho(client, FIRST);
  client.pause();
  const block = blockOfLines();
  const stall = Math.max(300, scene.moment);
  // A stall may be a busy moment: look twice.
  for (let looks = 0; looks < 2 && client.taken < limit; looks++) {
    const outcome = await client.flood(block, { limit: limit - client.taken, stall });
    if (outcome !== 'stalled') break;
  }
  return client;
}

async function besideNeverReaders(scene: Scene, howMany: number): Promise<void> {
  const bystander = await scene.client('bystander');
  await expectEcho(bystander, 'before\r\n');
  await Promise.all(
    Array.from({ length: howMany }, (_, i) =>
      neverReader(scene, `never reads ${i}`, 24 * 1024 * 1024),
    ),
  );
  for (let i = 0; i < 20; i++) await expectEcho(bystander, `meanwhile ${i}\r\n`);
  await expectService(scene, `while ${howMany} clients do not read`);
}
