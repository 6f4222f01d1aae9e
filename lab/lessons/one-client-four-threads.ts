import type { Lesson } from '../lesson.ts';

const MODELS = ['poll-loop', 'worker-threads', 'cluster'];

export const oneClientFourThreads: Lesson = {
  id: 'one-client-four-threads',
  title: 'One client, four threads. Four times as fast?',
  story:
    'Anna is alone. She sends four lines at once; each costs 150 ms of CPU. The servers with a pool have four threads or processes.',
  clients: { A: 'Anna' },
  args: ['--work', '150'],
  workers: 4,
  shows: MODELS,
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 100, who: 'A', do: 'send', text: 'A1\r\nA2\r\nA3\r\nA4\r\n' },
    { at: 1100, who: 'A', do: 'end', once: 'A' },
  ],
  duration: 1200,
  question: {
    asks: 'When does Anna have her fourth answer?',
    choices: [
      'After 150 ms: the time of one line',
      'After 300 ms',
      'After 600 ms: the time of four lines',
    ],
    answer: (seen) => {
      const time = seen.timeForAll('A');
      if (time === undefined) return undefined;
      return time < 230 ? 0 : time < 450 ? 1 : 2;
    },
  },
  number: {
    label: 'until Anna’s last answer',
    unit: 'ms',
    of: (seen) => seen.timeForAll('A'),
    none: 'never',
  },
  explanation: [
    {
      says: 'The answers to one client must come in the order of its lines.',
      holds: (of) =>
        MODELS.every(
          (model) => of(model).echoes('A').join(' ') === 'A1\\r\\n A2\\r\\n A3\\r\\n A4\\r\\n',
        ),
    },
    {
      says: 'These models keep the order in the simplest way: they work on one line of a client at a time, and do not read from the client meanwhile.',
      holds: (of) => MODELS.every((model) => of(model).together(2) === 0),
    },
    {
      says: 'So `worker-threads` uses one thread after the other, or the same one again, and never two at once.',
      holds: (of) =>
        of('worker-threads').together(2) === 0 && of('worker-threads').payers('A').length >= 1,
    },
    {
      says: 'In `cluster` Anna’s connection belongs to one process, and the other three cannot help.',
      holds: (of) =>
        of('cluster').payers('A').length === 1 && of('cluster').holders('A').length === 1,
    },
    {
      says: 'More threads serve more clients at once; they do not serve one client sooner.',
      holds: (of) => {
        const alone = of('poll-loop').timeForAll('A') ?? 0;
        return ['worker-threads', 'cluster'].every(
          (model) => (of(model).timeForAll('A') ?? 0) > 0.6 * alone,
        );
      },
    },
  ],
  cures: 'Threads speed up everything.',
  instead:
    'Threads help with work that is given to them at the same time, and these models give the pool one line of a client at a time.',
  source: [
    {
      model: 'worker-threads',
      file: 'models/worker-threads/index.ts',
      text: 'const answer = await inPool([line], hasLeft);',
      shows: 'The next line of this client goes to the pool when this one has come back.',
    },
  ],
  exercise: {
    task: 'How would you compute the lines of one client on several threads and still answer in order? What would you have to bound?',
    answer:
      'Number the lines, give them to the pool together, and hold back each answer until those before it were sent. What must be bounded is the number of lines that are computed and of answers that are held back for each client; otherwise a client that does not read makes the memory grow.',
  },
  next: 'two-workers-one-core',
};
