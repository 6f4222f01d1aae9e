import type { Lesson } from '../lesson.ts';

export const halfALine: Lesson = {
  id: 'half-a-line',
  title: 'Anna has not finished her line. Must Ben wait?',
  story:
    'Anna sends half a line, “hal”, and pauses for a second. Meanwhile Ben connects and sends two short lines.',
  clients: { A: 'Anna', B: 'Ben' },
  args: [],
  shows: ['blocking', 'poll-loop', 'worker-threads', 'cluster', 'rxjs'],
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 100, who: 'A', do: 'send', text: 'hello\r\n' },
    { at: 300, who: 'A', do: 'send', text: 'hal' },
    { at: 500, who: 'B', do: 'connect' },
    { at: 600, who: 'B', do: 'send', text: 'one\r\n' },
    { at: 900, who: 'B', do: 'send', text: 'two\r\n' },
    { at: 1400, who: 'A', do: 'send', text: 'f\r\n' },
    { at: 1600, who: 'A', do: 'end', once: 'A' },
    { at: 1900, who: 'B', do: 'end', once: 'B' },
  ],
  duration: 2000,
  question: {
    asks: 'When does Ben get his first answer?',
    choices: ['At once', 'When Anna has finished her line', 'When Anna has left'],
    answer: (seen) => {
      const answered = seen.echoedAt('B') ?? Number.POSITIVE_INFINITY;
      if (answered < (seen.sentAt('A', 2) ?? 0)) return 0;
      return answered < (seen.at('A', 'end') ?? 0) ? 1 : 2;
    },
  },
  number: {
    label: 'Ben’s longest wait',
    unit: 'ms',
    of: (seen) => seen.longestWait('B'),
    none: 'no line',
    badFrom: 100,
  },
  explanation: [
    {
      says: '`blocking` waits in recv(2) for Anna’s next bytes, and a thread that sleeps in recv(2) can do nothing else.',
      holds: (of) => of('blocking').waitedFor('recv', 'A'),
    },
    {
      says: 'Ben is connected all the same, because the kernel completes his connection; it stays in the backlog, with his lines in it, until the server calls accept(2).',
      holds: (of) => {
        const seen = of('blocking');
        return (
          (seen.acceptedAt('B') ?? 0) > (seen.at('A', 'end') ?? 0) &&
          seen.most('B', 'serverReceive') >= 10
        );
      },
    },
    {
      says: 'The end of Anna’s line does not help Ben: the server goes back to recv(2) for her next line, and accepts him only after she has left.',
      holds: (of) => (of('blocking').echoedAt('B') ?? 0) > (of('blocking').at('A', 'end') ?? 0),
    },
    {
      says: '`poll-loop` has one thread as well, but it asks poll(2) about all of its sockets at once, so it wakes up for whoever sends first.',
      holds: (of) =>
        of('poll-loop').waitedFor('poll', 'A', 'B', 'listener') &&
        of('poll-loop').trace.tasks.length === 1,
    },
    {
      says: 'In all but `blocking`, “hal” is a few bytes in a buffer that belongs to Anna’s connection, and no thread waits for the rest.',
      holds: (of) =>
        ['poll-loop', 'worker-threads', 'cluster', 'rxjs'].every(
          (model) => (of(model).echoedAt('B', 2) ?? Infinity) < (of(model).sentAt('A', 2) ?? 0),
        ),
    },
  ],
  cures: 'Concurrency is about speed.',
  instead:
    'Both servers answer a line within a few milliseconds. Concurrency decides whom a server can answer while somebody else is silent.',
  source: [
    {
      model: 'blocking',
      file: 'models/blocking/index.ts',
      text: 'if (fd >= 0) await serve(fd);',
      shows:
        'One client is served to its end; the next accept(2) comes after it. (`await` is there so that Node hears signals; no other client gets a turn.)',
    },
    {
      model: 'poll-loop',
      file: 'models/poll-loop/index.ts',
      text: 'const someoneReady = poll.poll(shared.timeout(lines.timeout)) > 0; // the only place that waits',
      shows: 'One call waits for every socket in the table.',
    },
  ],
  exercise: {
    task: 'Start `npx tsx models/blocking` and two clients (`npx tsx client`) in three terminals. Type a line in the second client while the first one is connected. How can the second client tell whether it was accepted?',
    answer:
      'It cannot. connect(2) succeeds as soon as the kernel has put the connection into the backlog. Only an answer proves that the server has accepted.',
  },
  next: 'six-pieces',
};
