import type { Lesson } from '../lesson.ts';

const MODELS = ['poll-loop', 'worker-threads', 'cluster'];

export const twoWorkersOneCore: Lesson = {
  id: 'two-workers-one-core',
  title: 'Two workers, one core. Half the time?',
  story:
    'Anna and Ben send one line each, at the same moment. Each line costs 200 ms of CPU. The server may use one core only.',
  clients: { A: 'Anna', B: 'Ben' },
  args: ['--work', '200'],
  cores: 1,
  shows: MODELS,
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 50, who: 'B', do: 'connect' },
    { at: 150, who: 'A', do: 'send', text: 'A1\r\n' },
    { at: 150, who: 'B', do: 'send', text: 'B1\r\n' },
    { at: 1100, who: 'A', do: 'end', once: 'A' },
    { at: 1150, who: 'B', do: 'end', once: 'B' },
  ],
  duration: 1250,
  question: {
    asks: 'When do both have their answer?',
    choices: ['After 200 ms: they are computed at once', 'After 400 ms: there is one core'],
    answer: (seen) => {
      const last = Math.max(seen.timeForAll('A') ?? Infinity, seen.timeForAll('B') ?? Infinity);
      if (!Number.isFinite(last)) return undefined;
      return last < 320 ? 0 : 1;
    },
  },
  number: {
    label: 'until both have an answer',
    unit: 'ms',
    of: (seen) => {
      const last = Math.max(seen.timeForAll('A') ?? Infinity, seen.timeForAll('B') ?? Infinity);
      return Number.isFinite(last) ? last : undefined;
    },
    none: 'never',
  },
  explanation: [
    {
      says: 'A thread computes only while it has a core, so two threads on one core take turns.',
      holds: (of) => ['worker-threads', 'cluster'].every((model) => of(model).coreWait > 50),
    },
    {
      says: 'The kernel gives each thread a few milliseconds in turn; the hatched times are those in which a thread is ready and has no core.',
      holds: (of) =>
        ['worker-threads', 'cluster'].every(
          (model) => of(model).trace.facts.filter(({ fact }) => fact === 'delay').length >= 3,
        ),
    },
    {
      says: 'The two lines are computed in turns, and neither is finished early: with two workers both clients wait for nearly the whole time.',
      holds: (of) => {
        const seen = of('worker-threads');
        const [a, b] = [seen.timeForAll('A') ?? 0, seen.timeForAll('B') ?? 0];
        return seen.together(2) > 50 && Math.min(a, b) > 0.6 * Math.max(a, b);
      },
    },
    {
      says: 'One thread does the lines one after the other: the first client has its answer after half the time, and the second waits no longer than with two workers.',
      holds: (of) => {
        const seen = of('poll-loop');
        const [a, b] = [seen.timeForAll('A') ?? 0, seen.timeForAll('B') ?? 0];
        return Math.min(a, b) < 0.75 * Math.max(a, b);
      },
    },
    {
      says: 'What threads give on one core is fairness: a short line does not wait behind a long one.',
    },
  ],
  cures: 'Threads are cores.',
  instead: 'Threads share the cores that there are. A second thread is not a second core.',
  source: [],
  exercise: {
    task: 'Start a model with `taskset -c 0 npx tsx models/worker-threads --workers 8 --work 50`. How many workers would be enough? What does `npx tsx bench` choose on your machine?',
    answer:
      'One worker is enough for one core, if lines only compute; more of them wait for the core in turn. The models take one worker for each core that they may use.',
  },
  next: 'where-are-the-bytes',
};
