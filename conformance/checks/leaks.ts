/** What clients leave behind when they have gone: nothing that grows with their number. */
import { type Client, count } from '../../client/client.ts';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import { linesOf } from '../content.ts';
import {
  blockOfLines,
  expectAllServed,
  expectAnswer,
  expectEcho,
  leaveOutputPending,
  NARROW,
  sendTooLong,
} from '../expect.ts';
import { descriptorsLeft, Footprint, type Look } from '../footprint.ts';
import { paceOf } from '../pace.ts';

const BOUNDED = 'Memory per connection is bounded, whatever the client does.';
const ENDS_NOTHING = 'Nothing a client does ends the server: it runs out of nothing.';

/** Visits of one round, and how long one may take, in milliseconds. */
const VISITS = 80;
const ROUND = 2000;
/** Visitors at once: more would overflow a short backlog. Where only one is served, the others wait. */
const AT_ONCE = 4;
const MAY_WAIT = 'concurrency/waiting-client-is-served-next';
/** Rounds after the first one, in which a server may set itself up. */
const ROUNDS = 3;
/** A part of a visit: so many descriptors, threads or processes for each are no chance. */
const SOME = 1 / 20;
/** Bytes for each visit that may be chance. */
const LITTLE = 8 * 1024;
/** Growth without an end, in bytes: collectors of garbage were seen to wait for a part of this. */
const ENDLESS = 320 * 1024 * 1024;
/** How long to look for it, in milliseconds, and how much longer when much of it has come. */
const LONGEST = 12_000;
const LONGER = 12_000;

export const leaks: readonly Check[] = [
  {
    id: 'leaks/after-lines',
    level: 'should',
    title: 'Clients that were served and have left cost nothing',
    sentence: BOUNDED,
    cause:
      'does each connection leave something: a socket, a thread, a process that nobody waits for, a buffer, a line in a list?',
    needs: ['framing/one-line', 'concurrency/hundreds-of-short-ones', MAY_WAIT],
    run: (scene) =>
      expectNothingLeft(scene, async (client, i) => {
        await expectEcho(client, `visit ${i}\r\n`);
        await expectEcho(client, `${'a longer line '.repeat(70)}\r\n`);
        // Some go on reading until the server's FIN comes, and some are gone when it does.
        await (i % 4 === 3 ? client.destroy() : client.close({ timeout: scene.moment }));
      }),
  },
  {
    id: 'leaks/after-silent-visits',
    level: 'should',
    title: 'Clients that said nothing and have left cost nothing',
    sentence: ENDS_NOTHING,
    cause: 'is a client that leaves without a word forgotten, with its socket and its memory?',
    needs: ['framing/one-line', 'half-close/nothing-sent', MAY_WAIT],
    run: (scene) =>
      expectNothingLeft(scene, async (client, i) => {
        if (i % 4 === 3) await expectEcho(client, 'pause\r\n'); // so that no backlog overflows
        await (i % 2 === 0 ? client.close({ timeout: scene.moment }) : client.destroy());
      }),
  },
  {
    id: 'leaks/after-partial-lines',
    level: 'should',
    title: 'Lines that were begun by clients who have left cost nothing',
    sentence: BOUNDED,
    cause: "is an unfinished line kept when its client's FIN has come?",
    needs: ['framing/one-line', 'half-close/tail-is-dropped', 'limits/longest-line', MAY_WAIT],
    run: (scene) =>
      expectNothingLeft(scene, async (client) => {
        await client.send(BEGUN);
        await expectAnswer(client, 'in front\r\n');
        await client.close({ timeout: scene.moment });
      }),
  },
  {
    id: 'leaks/after-resets',
    level: 'should',
    title: 'Clients that reset in the middle of a line cost nothing',
    sentence: ENDS_NOTHING,
    cause: 'is there a way out (an error of recv) on which nothing is closed or freed?',
    needs: ['resets/mid-line', 'limits/longest-line', MAY_WAIT],
    run: (scene) =>
      expectNothingLeft(scene, async (client) => {
        await client.send(BEGUN);
        await expectAnswer(client, 'in front\r\n');
        await client.reset();
      }),
  },
  {
    id: 'leaks/after-pending-output',
    level: 'should',
    title: 'Clients that reset while their output was pending cost nothing',
    sentence: ENDS_NOTHING,
    cause: 'is there a way out (an error of send) on which nothing is closed or freed?',
    needs: ['resets/mid-answer', 'limits/longest-line', MAY_WAIT],
    async run(scene) {
      const block = blockOfLines(200);
      return expectNothingLeft(
        scene,
        async (client, i) => {
          await expectEcho(client, 'accepted\r\n');
          await leaveOutputPending(client, block);
          // Some have sent their FIN before: what is pending then is ended by an error all the same.
          if (i % 2 === 1) client.halfClose().catch(() => undefined);
          await scene.settle(2);
          await client.reset();
        },
        NARROW,
      );
    },
  },
  {
    id: 'leaks/after-long-lines',
    level: 'should',
    title: 'Clients whose lines were too long cost nothing',
    sentence: BOUNDED,
    cause: 'is the connection of a client whose line was too long never closed, or its line kept?',
    needs: ['limits/line-too-long', 'leaks/after-resets', MAY_WAIT],
    async run(scene) {
      const before = Footprint.of(scene.target).look().descriptors;
      const staying = await clientsThatStay(scene);
      const cameAt = performance.now();
      const said = await expectNothingLeft(scene, async (client, i) => {
        await sendTooLong(client, scene.target);
        await (i % 2 === 0 ? client.destroy() : client.reset());
      });
      await scene.settle(Math.max(0, STAY - (performance.now() - cameAt)));
      await expectNoDescriptorsOf(staying, scene, before);
      return said;
    },
  },
  {
    id: 'leaks/as-many-as-before',
    level: 'should',
    title:
      'After hundreds of clients that left in every way, hundreds are served at once, as before',
    sentence: 'Nothing a client does ends the server or turns others away.',
    cause:
      'does a counter, or a table, of the clients that are there miss some that have left: by a reset, by an error, after a line that was too long?',
    needs: [
      'concurrency/thousand-open',
      'leaks/after-silent-visits',
      'leaks/after-resets',
      'leaks/after-pending-output',
      'leaks/after-long-lines',
    ],
    async run(scene) {
      const clients = await scene.clients(600, 'client');
      await expectAllServed(clients);
    },
  },
  {
    id: 'leaks/after-many-bytes',
    level: 'should',
    title: 'What has been echoed does not stay in memory',
    sentence: BOUNDED,
    cause:
      'is every line kept (in a list, in a log, in a buffer that only grows), though it was answered?',
    needs: ['framing/random-lines-32-mib'],
    async run(scene) {
      const footprint = Footprint.of(scene.target);
      const { line } = await paceOf(scene);
      const client = await scene.client();
      // Bytes count: a server that is slow for each line is sent longer ones.
      const longest = line > 0.05 ? 16_000 : 400;
      const size = Math.max(4096, Math.min(512 * 1024, (12.5 * longest) / line));
      const block = linesOf(9, 1, size, longest);
      const until = performance.now() + LONGEST;
      let last = footprint.look();
      const first = last;
      let bytes = 0;
      for (let rounds = 0; performance.now() < until; rounds++) {
        const end = bytes + 8 * 1024 * 1024;
        while (bytes < end && performance.now() < until) {
          await expectEcho(client, block);
          bytes += block.length;
        }
        const now = footprint.look();
        const growth = now.memory - last.memory;
        last = now;
        // In the first round a server may set itself up.
        if (rounds > 0 && growth < 2 * 1024 * 1024) return `${count(bytes)} bytes`;
        const grown = now.memory - first.memory;
        if (grown < ENDLESS) continue;
        throw new Failure(
          `memory has grown by ${mebibytes(grown)} for ${mebibytes(bytes)} of lines that were all answered`,
        );
      }
      return `${count(bytes)} bytes: too little to tell more`;
    },
  },
];

/** A line that comes back, and shows that the server has begun to read the one behind it. */
const BEGUN = Buffer.concat([Buffer.from('in front\r\n'), Buffer.alloc(60_000, 'begun ')]);

/** Clients whose lines were too long and that do not leave: how many, and how long, in milliseconds. */
const STAYING = 20;
const STAY = 3000;

/** Opens them: servers mostly wait some time for such a client, and then give up. */
async function clientsThatStay(scene: Scene): Promise<Client[]> {
  const clients: Client[] = [];
  const until = performance.now() + STAY;
  while (clients.length < STAYING && performance.now() < until) {
    const client = await scene.client(`stays ${clients.length}`);
    await sendTooLong(client, scene.target);
    clients.push(client);
  }
  return clients;
}

/** Expects that these clients leave no descriptors behind. */
async function expectNoDescriptorsOf(
  clients: readonly Client[],
  scene: Scene,
  before: number,
): Promise<void> {
  const footprint = Footprint.of(scene.target);
  await Promise.all(clients.map((client) => client.destroy()));
  const left = await descriptorsLeft(scene, footprint, before, Math.max(6, 0.75 * clients.length));
  if (left === 0) return;
  throw new Failure(
    `${count(clients.length)} clients have left, seconds after their lines were too long, and ${count(left)} descriptors are still open`,
  );
}

/** Visits in rounds: what grows in each of them would grow for ever. */
async function expectNothingLeft(
  scene: Scene,
  visit: (client: Client, i: number) => Promise<void>,
  options: { readonly receiveBuffer?: number } = {},
): Promise<string | undefined> {
  const footprint = Footprint.of(scene.target);
  await paceOf(scene);
  let visits = 0;
  const round = async (most: number): Promise<number> => {
    const until = performance.now() + ROUND;
    let made = 0;
    while (made < most && performance.now() < until) {
      const few = Array.from({ length: AT_ONCE }, async (_, i) =>
        visit(await scene.client(`visitor ${visits + i}`, options), visits + i),
      );
      await Promise.all(few);
      made += AT_ONCE;
      visits += AT_ONCE;
    }
    await scene.quiet();
    return made;
  };
  await round(VISITS);
  const looks = [footprint.look()];
  let fewest = VISITS;
  for (let i = 0; i < ROUNDS; i++) {
    fewest = Math.min(fewest, await round(VISITS));
    looks.push(footprint.look());
  }
  if (fewest < 12) throw new Unsupported(`too slow to tell: ${count(visits)} visits in 8 s`);
  await expectNoneLeft(scene, footprint, looks, fewest);

  // Memory is taken and given back in lumps: what grows is watched until it does not, or there is no end.
  const first = looks[0] as Look;
  let last = looks.at(-1) as Look;
  let isGrowing = growths(looks, 'memory').every((growth) => growth > fewest * LITTLE);
  const until = performance.now() + LONGEST;
  const before = visits - ROUNDS * fewest;
  while (isGrowing && last.memory - first.memory < ENDLESS) {
    const growth = last.memory - first.memory;
    if (performance.now() > until + (growth > ENDLESS / 4 ? LONGER : 0)) {
      const grown = mebibytes(growth);
      return `memory grew by ${grown} in ${count(visits)} visits: too little to tell`;
    }
    const made = await round(4 * VISITS);
    const now = footprint.look();
    isGrowing = now.memory - last.memory > (made * LITTLE) / 2;
    last = now;
  }
  if (isGrowing) {
    const grown = mebibytes(last.memory - first.memory);
    throw new Failure(
      `memory has grown by ${grown} in ${count(visits - before)} visits of clients that have all left`,
    );
  }
  return `${count(visits)} visits`;
}

/** Descriptors, threads, processes: those that more of came in each round, and that do not go. */
async function expectNoneLeft(
  scene: Scene,
  footprint: Footprint,
  looks: readonly Look[],
  visits: number,
): Promise<void> {
  const kinds = ['descriptors', 'threads', 'processes'] as const;
  const first = looks[0] as Look;
  const deadline = performance.now() + scene.patience;
  for (const kind of kinds) {
    if (!growths(looks, kind).every((growth) => growth >= Math.max(3, visits * SOME))) continue;
    let left = 0;
    const many = ROUNDS * Math.max(3, visits * SOME);
    do {
      await scene.quiet();
      left = footprint.look()[kind] - first[kind];
    } while (left >= many && performance.now() < deadline);
    if (left < many) continue;
    throw new Failure(
      `after ${count(ROUNDS * visits)} more clients that have all left, the server has ${count(left)} more ${kind}`,
    );
  }
}

/** By how much something grew from each look to the next. */
function growths(looks: readonly Look[], kind: 'descriptors' | 'threads' | 'processes' | 'memory') {
  return looks.slice(1).map((look, i) => look[kind] - (looks[i] as Look)[kind]);
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
