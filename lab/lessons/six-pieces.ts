import type { Lesson } from '../lesson.ts';

export const sixPieces: Lesson = {
  id: 'six-pieces',
  title: 'One line, sent in six pieces. How many echoes?',
  story:
    'Anna sends “h”, “e”, “ll”, “o”, CR and LF one after the other, each in a segment of its own. Then she sends two lines in one segment.',
  clients: { A: 'Anna' },
  args: [],
  shows: ['blocking', 'poll-loop', 'rxjs'],
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 100, who: 'A', do: 'send', text: 'h' },
    { at: 200, who: 'A', do: 'send', text: 'e' },
    { at: 300, who: 'A', do: 'send', text: 'll' },
    { at: 400, who: 'A', do: 'send', text: 'o' },
    { at: 500, who: 'A', do: 'send', text: '\r' },
    { at: 600, who: 'A', do: 'send', text: '\n' },
    { at: 800, who: 'A', do: 'send', text: 'two\r\nthree\r\n' },
    { at: 1000, who: 'A', do: 'end', once: 'A' },
  ],
  duration: 1150,
  question: {
    asks: 'What comes back for the six pieces?',
    choices: ['Six pieces', 'One line, after the last piece', 'Nothing'],
    answer: (seen) => {
      if (seen.eventsOf('A').some(({ did, t }) => did === 'part' && t < 600)) return 0;
      return seen.echoes('A').includes('hello\\r\\n') ? 1 : 2;
    },
  },
  number: {
    label: 'echoes for seven segments',
    unit: 'echoes',
    of: (seen) => seen.echoes('A').length,
    none: 'none',
  },
  explanation: [
    {
      says: 'TCP carries bytes, in order, and no messages: where one send(2) ends is not visible to the receiver.',
    },
    {
      says: 'Here each piece arrives by itself, so the server reads six times (each time too briefly for the picture), and five times it finds no CR LF.',
      holds: (of) =>
        of('poll-loop')
          .eventsOf('A')
          .filter(({ did }) => did === 'send').length === 7,
    },
    {
      says: 'It keeps what it has read in a buffer for this connection; the kernel’s buffers are empty meanwhile.',
      holds: (of) =>
        ['poll-loop', 'rxjs'].every((model) => of(model).most('A', 'serverReceive') <= 12),
    },
    {
      says: 'The last piece completes the line, and the line goes back whole: one echo.',
      holds: (of) =>
        ['blocking', 'poll-loop', 'rxjs'].every((model) => {
          const seen = of(model);
          return (
            seen.echoes('A')[0] === 'hello\\r\\n' &&
            (seen.echoedAt('A') ?? 0) >=
              (seen.eventsOf('A').find((e) => e.did === 'send' && e.lines === 1)?.t ?? 0)
          );
        }),
    },
    {
      says: 'Conversely, two lines that were sent at once may arrive in one read and are still two lines.',
      holds: (of) =>
        ['blocking', 'poll-loop', 'rxjs'].every((model) => of(model).echoes('A').length === 3),
    },
  ],
  cures: 'One send is one message.',
  instead:
    'TCP keeps the order of the bytes, and nothing else. What makes a message here is the end of the line.',
  source: [
    {
      model: 'poll-loop',
      file: 'raw-net/connection.ts',
      text: 'const { start, end } = this.frame(received);',
      shows:
        'What was received is searched for CR LF; an unfinished line is kept in front of the next bytes.',
    },
  ],
  exercise: {
    task: 'Write an echo server that sends back whatever one read returns, and run `npx tsx client --byte-by-byte` against it. Why does the client print the same as with a correct server, and how can you see the difference?',
    answer:
      'The client puts the pieces together again, because TCP delivers them in order. The difference is visible in the packets, in this lesson’s picture, and in the conformance suite: pieces come back before the line is complete.',
  },
  next: 'is-ben-let-in',
};
