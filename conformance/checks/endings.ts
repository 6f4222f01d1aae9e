/** Clients that are about to end, in every way, and those who are served beside them. */
import { type Client, escapeBytes } from '../../client/client.ts';
import { type Check, Failure, type Scene, Unsupported } from '../check.ts';
import {
  blockOfLines,
  expectAnswer,
  expectEcho,
  expectEnd,
  expectService,
  leaveOutputPending,
  NARROW,
  sendTooLong,
} from '../expect.ts';
import { paceOf } from '../pace.ts';

const SIMULTANEOUS = 'The server must handle simultaneous connections from multiple clients.';

/** A neighbour's wait, in milliseconds, that a server at rest has no reason for: a second is a usual time-out. */
const STALLED = 600;

/** How often the same must happen, one after another: a busy machine delays everybody, but not only here. */
const TRIES = 3;

/** In lines of 1009 bytes: a narrow client takes 2 or 4, the server's kernel some dozens more. */
const PENDING = [12, 40, 110, 300];

/** What a client may do last while others are served. */
const ENDINGS: readonly {
  readonly what: string;
  act(client: Client, scene: Scene, lines: Buffer): Promise<unknown>;
}[] = [
  {
    what: 'have sent their FIN and do not read their last answers',
    async act(client, _scene, lines) {
      await leaveOutputPending(client, lines);
      await client.halfClose().catch(() => undefined);
    },
  },
  {
    what: 'have sent a line that is too long and do not read the answers before it',
    async act(client, { target }, lines) {
      await leaveOutputPending(client, lines);
      client.send(Buffer.alloc(target.maxLine + 300_000, 'too long ')).catch(() => undefined);
    },
  },
  {
    what: 'have sent a line that is too long and stay',
    act: (client, { target }) => sendTooLong(client, target),
  },
  {
    what: 'have reset while their answers were pending',
    async act(client, _scene, lines) {
      await leaveOutputPending(client, lines);
      await client.reset();
    },
  },
];

export const endings: readonly Check[] = [
  {
    id: 'concurrency/beside-ending-clients',
    level: 'should',
    title: 'Others are served at once while clients end, in whatever way',
    sentence: SIMULTANEOUS,
    cause:
      'does it wait for one client to leave (SO_LINGER in close, a loop that reads what is left) while others wait for it?',
    needs: [
      'concurrency/beside-any-partial-line',
      'half-close/answers-after-fin',
      'limits/line-too-long',
      'resets/mid-answer',
      'slow-readers/beside-one',
    ],
    async run(scene) {
      const { byte } = await paceOf(scene);
      const all = PENDING.reduce((sum, lines) => sum + lines, 0) * 1009;
      // A slow server is busy with what they have sent: that is no stall.
      const part = Math.min(1, STALLED / 2 / (all * byte));
      if (part < 0.08) throw new Unsupported('too slow to tell');
      const bystander = await scene.client('bystander');
      await expectEcho(bystander, 'before\r\n');
      for (const ending of ENDINGS) {
        for (let tries = 1; ; tries++) {
          const clients = await scene.clients(PENDING.length, ending.what, NARROW);
          for (const client of clients) await expectEcho(client, 'accepted\r\n');
          const acts = clients.map((client, i) =>
            ending.act(client, scene, blockOfLines(Math.ceil((PENDING[i] as number) * part))),
          );
          const longest = await longestWait(scene, bystander, 250);
          await Promise.allSettled(acts);
          await Promise.all(clients.map((client) => client.destroy()));
          if (longest < STALLED) break;
          // A busy machine delays everybody, also when nobody ends.
          if ((await longestWait(scene, bystander, 250)) > STALLED / 2) {
            throw new Unsupported('too slow to tell: answers take long when nobody ends, too');
          }
          if (tries < TRIES) continue;
          throw new Failure(
            `while clients ${ending.what}, another waits ${(longest / 1000).toFixed(1)} s for its answer, ${TRIES} times of ${TRIES}`,
          );
        }
      }
      await expectService(scene, 'after clients that ended');
    },
  },
  {
    id: 'concurrency/all-in-one-moment',
    level: 'should',
    title: 'Clients that speak, come, end and reset in the same moment each get what is theirs',
    sentence: SIMULTANEOUS,
    cause:
      'does it close or accept connections while it goes through a list of what has happened: is an entry skipped, or meant for another client?',
    needs: [
      'framing/random-lines-32-mib',
      'concurrency/beside-any-partial-line',
      'concurrency/hundred-interleaved',
      'concurrency/nothing-is-inherited',
      'half-close/answers-after-fin',
      'half-close/tail-is-dropped',
      'resets/leave-neighbours-alone',
    ],
    async run(scene) {
      const { line } = await paceOf(scene);
      if (line > 50) throw new Unsupported('too slow to tell');
      // What keeps it busy while all the rest happens.
      const busy = blockOfLines(Math.ceil(Math.min(300, 20 / line)), 'b');
      const stays = await scene.clients(6, 'stays');
      for (const [i, one] of stays.entries()) await expectEcho(one, `I stay ${i}\r\n`);
      const until = performance.now() + 2500;
      let rounds = 0;
      for (; rounds < 8 && (rounds < 2 || performance.now() < until); rounds++) {
        await inOneMoment(scene, stays, busy, rounds);
      }
      await expectService(scene, 'after clients that came, spoke and ended in the same moment');
      return `${rounds} times`;
    },
  },
];

/** One moment: all of it is sent before the server can have answered any of it. */
async function inOneMoment(
  scene: Scene,
  stays: readonly Client[],
  busy: Buffer,
  round: number,
): Promise<void> {
  const actors = await scene.clients(12, `round ${round}, acts`);
  for (const [i, one] of actors.entries()) {
    const first = Buffer.from(`first of ${i}\r\n`);
    await one.send(Buffer.concat([first, Buffer.from(`begun by ${i}`)]));
    await expectAnswer(one, first);
  }
  const sent: Promise<unknown>[] = [(stays[0] as Client).send(busy)];
  const owed = new Map<Client, Buffer>([[stays[0] as Client, busy]]);
  const ended: [Client, Buffer][] = [];
  const newcomers: Promise<Client>[] = [];
  const acts = actors.map((one, i) => () => {
    const rest = `, completed in round ${round}\r\n`;
    const whole = Buffer.from(`begun by ${i}${rest}`);
    switch ((i + round) % 4) {
      case 0:
        sent.push(one.reset());
        break;
      case 1:
        sent.push(one.send(rest), one.halfClose());
        ended.push([one, whole]);
        break;
      case 2:
        sent.push(one.halfClose());
        ended.push([one, Buffer.alloc(0)]);
        break;
      default:
        sent.push(one.send(rest));
        owed.set(one, whole);
    }
  });
  for (const [i, one] of stays.entries()) {
    if (i === 0) continue;
    const line = Buffer.from(`I speak, too, ${i} in round ${round}\r\n`);
    acts.splice((i * 7 + round * 3) % acts.length, 0, () => {
      sent.push(one.send(line));
      owed.set(one, line);
    });
  }
  for (let i = 0; i < 3; i++) {
    acts.splice((i * 5 + round) % acts.length, 0, () => {
      newcomers.push(scene.client(`round ${round}, newcomer ${i}`));
    });
  }
  for (const act of acts) act();
  for (const one of sent) one.catch(() => undefined); // what comes back tells more
  for (const [one, lines] of owed) await expectAnswer(one, lines);
  for (const [one, lines] of ended) await expectEnd(one, lines);
  for (const one of await Promise.all(newcomers)) await expectEcho(one, 'just come\r\n');
  const tooMuch = [...owed.keys()].find(({ pending }) => pending > 0);
  if (tooMuch) {
    throw new Failure(`${tooMuch.name} got "${escapeBytes(tooMuch.peek(40))}" besides its own`);
  }
  for (const one of [...actors, ...(await Promise.all(newcomers))]) await one.destroy();
}

/** The longest time that an answer takes, in milliseconds, while a client asks again and again. */
async function longestWait(scene: Scene, client: Client, most: number): Promise<number> {
  const until = performance.now() + most;
  let longest = 0;
  while (performance.now() < until) {
    const sentAt = performance.now();
    await expectEcho(client, 'meanwhile\r\n');
    longest = Math.max(longest, performance.now() - sentAt);
    await scene.settle(10);
  }
  return longest;
}
