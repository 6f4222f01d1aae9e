import type { Lesson } from '../lesson.ts';

export const isBenLetIn: Lesson = {
  id: 'is-ben-let-in',
  title: 'Anna’s line costs 600 ms of CPU. Who lets Ben in meanwhile?',
  story:
    'Anna sends one line that takes 600 ms to compute. 100 ms later Ben connects, and sends nothing. With every server his connect(2) succeeds at once.',
  clients: { A: 'Anna', B: 'Ben' },
  args: ['--work', '600'],
  shows: ['blocking', 'poll-loop', 'worker-threads', 'cluster'],
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 100, who: 'A', do: 'send', text: 'A1\r\n' },
    { at: 200, who: 'B', do: 'connect' },
    { at: 1200, who: 'A', do: 'end', once: 'A' },
    { at: 1400, who: 'B', do: 'end', once: 'B' },
  ],
  duration: 1500,
  question: {
    asks: 'When does the server accept Ben?',
    choices: ['At once', 'When Anna has her answer', 'When Anna has left'],
    answer: (seen) => {
      const accepted = seen.acceptedAt('B');
      if (accepted === undefined && seen.trace.blind.sockets) return undefined;
      const t = accepted ?? Number.POSITIVE_INFINITY;
      if (t < (seen.echoedAt('A') ?? Number.POSITIVE_INFINITY) - 100) return 0;
      return t < (seen.at('A', 'end') ?? 0) ? 1 : 2;
    },
  },
  number: {
    label: 'Ben in the backlog',
    unit: 'ms',
    of: (seen) => {
      const [accepted, connected] = [seen.acceptedAt('B'), seen.at('B', 'connected')];
      if (accepted === undefined || connected === undefined) return undefined;
      return Math.max(0, accepted - connected);
    },
    none: 'never accepted',
    badFrom: 100,
  },
  explanation: [
    {
      says: 'The kernel completes the handshake for the server: connect(2) succeeds while the server does something else, and the connection waits in the listener’s backlog.',
      holds: (of) =>
        ['blocking', 'poll-loop'].every(
          (model) => (of(model).at('B', 'connected') ?? Infinity) < (of(model).echoedAt('A') ?? 0),
        ),
    },
    {
      says: 'In `poll-loop` the thread that would call accept(2) is computing Anna’s line, so Ben waits in the backlog until it is done; the same happens in every model with one thread.',
      // On a busy machine Anna notices her echo late: so it is not held against that moment.
      holds: (of) => {
        const seen = of('poll-loop');
        const [sent, echoed] = [seen.sentAt('A') ?? 0, seen.echoedAt('A') ?? Infinity];
        return (seen.acceptedAt('B') ?? 0) > (sent + echoed) / 2;
      },
    },
    {
      says: 'In `worker-threads` the main thread only moves bytes; another thread computes, so the main thread accepts at once.',
      holds: (of) =>
        (of('worker-threads').acceptedAt('B') ?? Infinity) <
        (of('worker-threads').echoedAt('A') ?? 0),
    },
    {
      says: 'In `cluster` another process waits for the same listener, and the kernel wakes it.',
      holds: (of) => {
        const seen = of('cluster');
        return (
          (seen.acceptedAt('B') ?? Infinity) < (seen.echoedAt('A') ?? 0) &&
          seen.holders('A')[0] !== seen.holders('B')[0]
        );
      },
    },
    {
      says: '`blocking` accepts nobody before Anna has left, with or without work to do.',
      holds: (of) =>
        (of('blocking').acceptedAt('B') ?? 0) > (of('blocking').at('A', 'end') ?? Infinity),
    },
  ],
  cures: 'Connected means served.',
  instead:
    'Connected means that the kernel has answered. Only an answer from the server proves that it has accepted.',
  source: [
    {
      model: 'worker-threads',
      file: 'models/worker-threads/index.ts',
      text: 'return await pool.run(task, { transferList: [bytes.buffer] });',
      shows: 'The line goes to another thread; this one returns to its event loop.',
    },
  ],
  exercise: {
    task: 'What does a client see when the backlog is full? Start `npx tsx models/blocking`, connect one client, and then open some hundred more connections. (`ss -ltn` shows the backlog and its limit.)',
    answer:
      'The kernel ignores the SYN of each further client, and the client’s kernel repeats it: connect(2) takes seconds, and may fail with ETIMEDOUT. The server sees nothing of it.',
  },
  next: 'who-waits-for-whom',
};
