import type { Lesson, Step } from '../lesson.ts';
import type { Seen } from '../seen.ts';

/** Three lines of Anna’s at once, then one of Ben’s, one of Cleo’s. */
export const script: readonly Step[] = [
  { at: 0, who: 'A', do: 'connect' },
  { at: 20, who: 'B', do: 'connect' },
  { at: 40, who: 'C', do: 'connect' },
  { at: 100, who: 'A', do: 'send', text: 'A1\r\nA2\r\nA3\r\n' },
  { at: 150, who: 'B', do: 'send', text: 'B1\r\n' },
  { at: 250, who: 'C', do: 'send', text: 'C1\r\n' },
  { at: 1500, who: 'A', do: 'end', once: 'A' },
  { at: 1600, who: 'B', do: 'end', once: 'B' },
  { at: 1700, who: 'C', do: 'end', once: 'C' },
];

/** How long a line takes here: what one that nobody delays takes at least. */
export const LINE = 200;

/** Whoever waits longer than this has waited for somebody else’s line, too. */
export const LONG = 1.4 * LINE;

export const choices = [
  'As long as one line takes: 200 ms',
  'Longer: at least one of Anna’s lines comes first',
  'Until Anna has left',
];

export function answer(seen: Seen): number | undefined {
  const wait = seen.longestWait('B');
  if (wait === undefined) return undefined;
  if ((seen.echoedAt('B') ?? Number.POSITIVE_INFINITY) > (seen.at('A', 'end') ?? 0)) return 2;
  return wait < LONG ? 0 : 1;
}

export const whoWaitsForWhom: Lesson = {
  id: 'who-waits-for-whom',
  title: 'Each line costs 200 ms of CPU. Who waits for whom?',
  story:
    'Anna sends three lines at once. A moment later Ben sends one, then Cleo sends one. Each line costs the server 200 ms of CPU. The server has two cores, and two workers where it has workers.',
  clients: { A: 'Anna', B: 'Ben', C: 'Cleo' },
  args: ['--work', '200'],
  shows: ['blocking', 'poll-loop', 'worker-threads', 'cluster', 'rxjs'],
  script,
  duration: 2300,
  question: { asks: 'How long does Ben wait for his answer?', choices, answer },
  number: {
    label: 'Ben’s wait',
    unit: 'ms',
    of: (seen) => seen.longestWait('B'),
    none: 'no line',
    badFrom: LONG,
  },
  explanation: [
    {
      says: 'One thread computes one line at a time, whatever the model is called: in `poll-loop` and `rxjs` the lines of all clients stand in one queue.',
      holds: (of) => ['poll-loop', 'rxjs'].every((model) => of(model).together(2) === 0),
    },
    {
      says: 'That queue is fair there: Ben’s line is read between two of Anna’s, and its turn comes before Anna’s third line, so he does not wait for all three.',
      holds: (of) =>
        ['poll-loop', 'rxjs'].every(
          (model) => (of(model).echoedAt('B') ?? Infinity) < (of(model).echoedAt('A', 3) ?? 0),
        ),
    },
    {
      says: 'Two threads compute two lines at once, so in `worker-threads` the work on Ben’s line begins when it comes.',
      holds: (of) =>
        of('worker-threads').together(2) > 50 &&
        (of('worker-threads').longestWait('B') ?? Infinity) <
          (of('poll-loop').longestWait('B') ?? 0),
    },
    {
      says: '`cluster` divides clients, not lines: whoever shares a process with Anna waits for her lines, while the other process may be idle.',
      // Which process accepts a client is for the system to say: all three may share one.
      holds: (of) => {
        const cluster = of('cluster');
        const [anna] = cluster.holders('A');
        return ['B', 'C'].every((who) => {
          const [holder, another] = cluster.holders(who);
          const waits = (cluster.longestWait(who) ?? 0) > 1.1 * LINE;
          return holder !== undefined && another === undefined && (holder !== anna || waits);
        });
      },
    },
    {
      says: '`blocking` serves Anna until she leaves: Ben waits for her lines, and then until she closes the connection.',
      holds: (of) =>
        (of('blocking').echoedAt('B') ?? 0) > (of('blocking').at('A', 'end') ?? Infinity),
    },
  ],
  cures: 'Streams are threads, and a cluster balances lines.',
  instead:
    'The streams of `rxjs` share one thread, and a cluster divides clients, however many lines each of them sends.',
  source: [
    {
      model: 'poll-loop',
      file: 'models/poll-loop/index.ts',
      text: 'if (next) attend(next, answerLine);',
      shows: 'One line in each turn of the loop, of the client whose turn it is.',
    },
  ],
  exercise: {
    task: 'Change the order: let Ben send his line before Anna sends hers. Which numbers change, and in which model does Cleo now have the longest wait?',
    answer:
      'Ben is served first in every model that has accepted him, so he waits for one line’s time. Cleo then has two clients before her on a single thread; in `cluster` it depends on whose process she shares.',
  },
  next: 'it-only-waits',
};
