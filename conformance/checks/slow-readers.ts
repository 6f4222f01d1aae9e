/** Clients that do not read what they are sent. */
import { readFileSync } from 'node:fs';
import { type Client, count } from '../../client/client.ts';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import {
  blockOfLines,
  expectAllServed,
  expectEcho,
  expectEnd,
  expectRepeated,
  expectService,
  NARROW,
} from '../expect.ts';
import { paceOf } from '../pace.ts';
import { bytesHeldBy } from '../queues.ts';

const OTHERS =
  'It must not stop responding to other clients when one client stops reading its responses.';
const BACKPRESSURE =
  "While a connection's output is pending, the server does not read from it; nothing that was " +
  'accepted is lost if the client resumes.';

/** One line first: that a connection exists does not mean that it was accepted. */
const FIRST = 'accepted\r\n';

/** What a client that does not read can send at least, in bytes, until the kernel takes no more. */
const SEVERAL_MEGABYTES = 8 * 1024 * 1024;

/** Right servers were seen to take 17 MiB, and kernels may hold more than that. */
const MUST_HAVE_STALLED = 32 * 1024 * 1024 + kernelBuffers();

/** Right servers hold a read or two, and some megabytes where a proxy stands before them; in bytes. */
const MUST_NOT_HOLD = 16 * 1024 * 1024;

/** What the kernel may hold of an echo at most, in bytes: both ends of both ways (tcp(7)). */
function kernelBuffers(): number {
  try {
    const most = (name: string) =>
      Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim().split(/\s+/)[2]);
    const all = 2 * (most('tcp_rmem') + most('tcp_wmem'));
    return all > 0 ? Math.min(all, 160 * 1024 * 1024) : 0;
  } catch {
    return 160 * 1024 * 1024; // it does not say
  }
}

export const slowReaders: readonly Check[] = [
  {
    id: 'slow-readers/beside-one',
    level: 'must',
    title: 'Others are served while one client does not read',
    sentence: OTHERS,
    cause: 'does it wait in send to one client while others wait for it?',
    needs: ['framing/one-line', 'concurrency/second-client-while-first-idles'],
    async run(scene) {
      const bystander = await scene.client('bystander');
      await expectEcho(bystander, 'before\r\n');
      // With a narrow client little is pending when the server stops; with a wide one, megabytes.
      for (const [what, options] of [
        ['narrow', NARROW],
        ['wide', {}],
      ] as const) {
        const reader = await scene.client(`${what}, never reads`, options);
        await untilItStops(scene, reader, bystander);
        await reader.close(); // in good order: a reset is a matter of other checks
        await expectEcho(bystander, 'after\r\n');
      }
    },
  },
  {
    id: 'slow-readers/beside-twenty',
    level: 'should',
    title: 'Others are served while 20 clients do not read',
    sentence: OTHERS,
    cause:
      'does each client that does not read hold one of a limited number of threads or processes, or is the socket of one of them blocking?',
    needs: ['slow-readers/beside-one', 'resets/mid-answer'],
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
      const held = bytesHeldBy(scene.target.port, client) ?? 0;
      if (held >= MUST_NOT_HOLD) {
        throw new Failure(
          `the server took ${count(taken)} bytes from a client that never reads; ${count(held)} of them are not in the kernel's buffers`,
        );
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
      const { byte } = await paceOf(scene);
      if (byte * SEVERAL_MEGABYTES > 20_000) throw new Unsupported('too slow to tell');
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
  await stopReading(scene, client, limit);
  return client;
}

async function stopReading(scene: Scene, client: Client, limit: number): Promise<void> {
  client.pause();
  const block = blockOfLines();
  const stall = Math.max(300, scene.moment);
  // A stall may be a busy moment: look twice.
  for (let looks = 0; looks < 2 && client.taken < limit; looks++) {
    const outcome = await client.flood(block, { limit: limit - client.taken, stall });
    if (outcome !== 'stalled') break;
  }
}

/**
 * Floods a server that gets nothing read, until it takes no more, and expects all the while that others
 * are served. That nothing was taken for a while may be a busy moment: it has stopped when it has answered
 * others again and again, and has taken nothing in between.
 */
async function untilItStops(scene: Scene, reader: Client, bystander: Client): Promise<void> {
  await expectEcho(reader, FIRST);
  reader.pause();
  const block = blockOfLines(8);
  const limit = 24 * 1024 * 1024;
  for (let looks = 0; looks < 4 && reader.taken < limit && !reader.ending; ) {
    const { taken } = reader;
    await reader.flood(block, { limit: limit - taken, stall: 60 });
    for (let i = 0; i < 5; i++) {
      await expectEcho(bystander, `meanwhile ${i}\r\n`).catch((error: Error) => {
        throw new Failure(
          `while one client does not read, another is not served: ${error.message}`,
        );
      });
    }
    await expectService(scene, 'while one client does not read');
    looks = reader.taken > taken ? 0 : looks + 1;
  }
}

/** Whether a server on loopback is also there on ::1. */
async function isServedOverIPv6(scene: Scene): Promise<boolean> {
  if (!scene.target.host.startsWith('127.')) return false;
  const client = await scene.client('over ::1', { host: '::1' }).catch(() => undefined);
  if (!client) return false;
  await expectEcho(client, 'here, too\r\n');
  await client.close();
  return true;
}

async function besideNeverReaders(scene: Scene, howMany: number): Promise<void> {
  const bystander = await scene.client('bystander');
  await expectEcho(bystander, 'before\r\n');
  // Sockets have what their listener gave them: where there are two, clients come to each by turns.
  const hosts = [scene.target.host, ...((await isServedOverIPv6(scene)) ? ['::1'] : [])];
  const readers = await Promise.all(
    Array.from({ length: howMany }, (_, i) =>
      scene.client(`never reads ${i}`, {
        host: hosts[i % hosts.length] as string,
        ...NARROW, // or a slow server is still filling the kernel's buffers when it seems to have stopped
      }),
    ),
  );
  await expectAllServed(readers);
  await Promise.all(readers.map((reader) => stopReading(scene, reader, 24 * 1024 * 1024)));
  for (let i = 0; i < 20; i++) await expectEcho(bystander, `meanwhile ${i}\r\n`);
  await expectService(scene, `while ${howMany} clients do not read`);
  // What is owed to them would come in a thousand small segments each.
  await Promise.all(readers.map((reader) => reader.destroy()));
}
