/** What is measured and not judged: it differs from server to server, and none of it is wrong. */
import { type Client, count } from '../../client/client.ts';
import { type Check, Failure, Unsupported } from '../check.ts';
import { expectEcho } from '../expect.ts';
import { memoryOf, processesOf } from '../processes.ts';
import { neverReader } from './slow-readers.ts';

const MEASURED = 'Measured, not judged.';

/** Milliseconds beyond which something other than the machine must be slow. */
const SLOW = 500;

/** The part of a core that a server may use when there is nothing to do. */
const AT_REST = 0.05;

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
      const { group } = scene.target;
      if (group === undefined) throw new Unsupported('the server was not started here');
      const before = memoryOf(group);
      if (before === 0) throw new Unsupported('this system does not tell (no /proc)');
      for (const client of await scene.clients(200, 'silent')) await expectEcho(client, 'here\r\n');
      const each = (memoryOf(group) - before) / 200 / 1024;
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
      const { group } = scene.target;
      if (group === undefined) throw new Unsupported('the server was not started here');
      const [leaves, resets] = await scene.clients(2, 'leaves');
      if (leaves && resets) {
        await expectEcho(leaves, 'goodbye\r\n');
        await leaves.close();
        // Two at a time is a matter for other checks: who waits may go unheard.
        await resets.reset();
      }
      await scene.quiet();
      if (processesOf(group).length === 0)
        throw new Unsupported('this system does not tell (no /proc)');
      const ticks = () => processesOf(group).reduce((sum, one) => sum + one.ticks, 0);
      // It may still tidy up; on a busy machine, who spins gets only a part of a core.
      let busy = 0;
      let isAtRest = false;
      for (let looks = 0; looks < 5; looks++) {
        const before = ticks();
        await scene.settle(400);
        busy = ((ticks() - before) * 10) / 400;
        // Who gets no time on a busy machine is not at rest.
        isAtRest = busy <= AT_REST && processesOf(group).every(({ state }) => state !== 'R');
        if (isAtRest) break;
      }
      if (!isAtRest) {
        throw new Failure(`${Math.round(100 * busy)} % of a core is busy when nobody is connected`);
      }
      return `${Math.round(100 * busy)} % of a core`;
    },
  },
];

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
