/** What is measured and not judged: it differs from server to server, and none of it is wrong. */
import { type Client, count } from '../../client/client.ts';
import { type Check, Failure, type Scene } from '../check.ts';
import { blockOfLines, expectEcho, NARROW, sendTooLong } from '../expect.ts';
import { Footprint } from '../footprint.ts';
import { neverReader } from './slow-readers.ts';

const MEASURED = 'Measured, not judged.';

/** Milliseconds beyond which something other than the machine must be slow. */
const SLOW = 500;

/** The part of a core that a server may use when there is nothing to do: some look around now and then. */
const AT_REST = 0.1;

export const measures: readonly Check[] = [
  {
    id: 'measures/round-trip',
    level: 'info',
    title: 'How long a short line takes to come back',
    sentence: MEASURED,
    cause: 'is there a timer, or a wait for more input, between a line and its answer?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      const times: number[] = [];
      for (let i = 0; i < 5; i++) times.push(await roundTrip(client));
      const median = times.sort((a, b) => a - b)[2] as number;
      if (median > SLOW) throw new Failure(`${Math.round(median)} ms`);
      return `${median.toFixed(2)} ms`;
    },
  },
  {
    id: 'measures/round-trip-beside-slow-readers',
    level: 'info',
    title: 'How long a short line takes alone, and beside 20 clients that do not read',
    sentence: MEASURED,
    cause: 'is the time of the others spent on clients that do not read?',
    needs: ['slow-readers/beside-twenty'],
    async run(scene) {
      const client = await scene.client('bystander');
      const alone = await medianRoundTrip(client);
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          neverReader(scene, `never reads ${i}`, 8 * 1024 * 1024),
        ),
      );
      const beside = await medianRoundTrip(client);
      return `${alone.toFixed(2)} ms alone, ${beside.toFixed(2)} ms beside them`;
    },
  },
  {
    id: 'measures/bytes-taken-from-a-client-that-never-reads',
    level: 'info',
    title: 'How many bytes the server and the kernel take from a client that never reads',
    sentence: MEASURED,
    cause: 'does it read on while its output is pending?',
    needs: ['framing/one-line'],
    async run(scene) {
      const limit = 64 * 1024 * 1024;
      const client = await neverReader(scene, 'never reads', limit);
      const taken = client.taken;
      return taken >= limit ? `${count(limit)}, and more` : count(taken);
    },
  },
  {
    id: 'measures/memory-for-each-connection',
    level: 'info',
    title: 'How much memory each of 200 silent connections costs',
    sentence: MEASURED,
    cause: 'is a large buffer kept for each connection, or a thread, or a process?',
    needs: ['framing/one-line', 'concurrency/second-client-while-first-idles'],
    async run(scene) {
      const footprint = Footprint.of(scene.target);
      const before = footprint.look().memory;
      for (const client of await scene.clients(200, 'silent')) await expectEcho(client, 'here\r\n');
      const each = (footprint.look().memory - before) / 200 / 1024;
      // Memory that it had taken and no longer needed serves them first.
      return each < 0.1 ? 'none that it did not have already' : `${each.toFixed(1)} KiB`;
    },
  },
  {
    id: 'measures/rest-after-clients-have-left',
    level: 'info',
    title: 'Whether the server rests when its clients have left',
    sentence: MEASURED,
    cause: 'is the end of input (recv returns 0) not noticed, and recv called again and again?',
    needs: ['framing/one-line'],
    async run(scene) {
      const footprint = Footprint.of(scene.target);
      const [leaves, resets] = await scene.clients(2, 'leaves');
      if (leaves && resets) {
        await expectEcho(leaves, 'goodbye\r\n');
        await leaves.close();
        // Two at a time is a matter for other checks: who waits may go unheard.
        await resets.reset();
      }
      await scene.quiet();
      return expectRest(scene, footprint, 'when nobody is connected');
    },
  },
  {
    id: 'measures/rest-while-clients-wait',
    level: 'info',
    title: 'Whether the server rests while its clients do',
    sentence: MEASURED,
    cause:
      'does it ask again and again whether there is something to do: for a socket that is always writable, or at its end of input?',
    needs: ['framing/one-line'],
    async run(scene) {
      const footprint = Footprint.of(scene.target);
      const first = 'accepted\r\n';
      const waits = async (what: string, options: object, act: (client: Client) => unknown) => {
        const client = await scene.client(what, options);
        await expectEcho(client, first);
        await act(client);
        await scene.quiet();
        const message = await expectRest(scene, footprint, `while a client ${what}`);
        await client.close();
        return `${message} while one ${what}`;
      };
      const pending = blockOfLines(600);
      const stalls = async (client: Client) => {
        client.pause();
        client.send(pending).catch(() => undefined);
        await scene.settle(100);
      };
      const found = [
        await waits('says nothing', {}, () => undefined),
        await waits('holds a partial line', {}, (client) => client.send('partial')),
        await waits('does not read', NARROW, stalls),
        await waits(
          'has read late all that it was sent, and says nothing',
          NARROW,
          async (client) => {
            await stalls(client);
            client.resume();
            // Whether all of it comes, and is right, is a matter of other checks.
            await client.receive(pending.length).catch(() => undefined);
          },
        ),
        await waits('has sent a line that is too long, and stays', {}, (client) =>
          sendTooLong(client, scene.target).catch(() => undefined),
        ),
        await waits('has sent its FIN and does not read', NARROW, async (client) => {
          client.pause();
          client.send(blockOfLines(100)).catch(() => undefined);
          client.halfClose().catch(() => undefined);
          await scene.settle(100);
        }),
      ];
      return found.join(', ');
    },
  },
];

/**
 * Looks at the CPU time of a server that has nothing to do, several times: it may still tidy up, and on a
 * busy machine one that spins gets only a part of a core.
 */
async function expectRest(scene: Scene, footprint: Footprint, when: string): Promise<string> {
  let part = 0;
  for (let busyLooks = 0; busyLooks < 5; ) {
    const before = footprint.look();
    await scene.settle(300);
    const { cpu, isRunnable, threads, processes } = footprint.look();
    part = (cpu - before.cpu) / 300;
    // Who gets no time on a busy machine is not at rest.
    if (part <= AT_REST && !isRunnable) return `${Math.round(100 * part)} % of a core`;
    // The end of a thread costs time, too, and an earlier check may have left a hundred to end.
    if (threads >= before.threads && processes >= before.processes) busyLooks++;
  }
  throw new Failure(`${Math.round(100 * part)} % of a core is busy ${when}`);
}

async function medianRoundTrip(client: Client): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 41; i++) times.push(await roundTrip(client));
  return times.sort((a, b) => a - b)[20] as number;
}

async function roundTrip(client: Client): Promise<number> {
  const sentAt = performance.now();
  await expectEcho(client, 'how long?\r\n');
  return performance.now() - sentAt;
}
