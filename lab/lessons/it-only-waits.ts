import type { Lesson } from '../lesson.ts';
import { answer, choices, LINE, LONG, script } from './who-waits-for-whom.ts';

export const itOnlyWaits: Lesson = {
  id: 'it-only-waits',
  title: 'Each line waits 200 ms for a database. Who waits for whom now?',
  story:
    'The same three clients and the same five lines. Now a line costs no CPU: it waits for 200 ms, as it would for the answer of a database. The pool has two threads.',
  clients: { A: 'Anna', B: 'Ben', C: 'Cleo' },
  args: ['--wait', '200'],
  shows: ['blocking', 'poll-loop', 'worker-threads'],
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
      says: 'A wait needs no thread and no core, only a note of what to do when it is over.',
    },
    {
      says: '`poll-loop` keeps that note and goes back to poll(2), which returns when a client sends or when the first line is due: so all clients wait at the same time, on one thread.',
      holds: (of) => {
        const seen = of('poll-loop');
        const [ben, anna] = [seen.longestWait('B') ?? Infinity, seen.timeForAll('A') ?? 0];
        return ben >= LINE - 10 && ben < anna && seen.trace.tasks.length === 1;
      },
    },
    {
      says: 'A thread that sleeps can hold a waiting line, too, but `worker-threads` has only two threads: Anna’s and Ben’s lines take both (each thread sleeps in futex(2)), and Cleo’s line waits until one is free.',
      holds: (of) => {
        const seen = of('worker-threads');
        return (seen.echoedAt('C') ?? 0) >= (seen.sentAt('A') ?? Infinity) + 2 * LINE - 20;
      },
    },
    {
      says: '`blocking` has nowhere to keep a note: it sleeps in nanosleep(2), and everybody else waits with it.',
      holds: (of) =>
        (of('blocking').echoedAt('B') ?? 0) > (of('blocking').at('A', 'end') ?? Infinity),
    },
    {
      says: 'Anna’s own three lines still take three times 200 ms everywhere, because the answers to one client are given in order, one line after the other.',
      holds: (of) =>
        ['blocking', 'poll-loop', 'worker-threads'].every(
          (model) => (of(model).timeForAll('A') ?? 0) >= 3 * LINE - 30,
        ),
    },
  ],
  cures: 'Async makes things faster.',
  instead:
    'No line has become faster: each still takes 200 ms. What changes is how many lines can wait at the same time.',
  source: [
    {
      model: 'poll-loop',
      file: 'models/poll-loop/index.ts',
      text: 'const lines = new LineQueue(options.wait);',
      shows:
        'The note: which client’s line is due, and when. poll(2) is given that time as its timeout.',
    },
  ],
  exercise: {
    task: 'A thousand clients send one line each, and each line waits for 200 ms. How long does the last one wait in `poll-loop`, and how long in a pool of two threads that sleep?',
    answer:
      'In `poll-loop` it waits a little more than 200 ms, because the loop keeps a thousand notes at the same time. With two threads it waits 500 times 200 ms, which is 100 seconds, because a thread that sleeps can wait for one line only.',
  },
  next: 'one-client-four-threads',
};
