import type { Lesson } from '../lesson.ts';
import type { Seen } from '../seen.ts';

const MODELS = ['poll-loop', 'worker-threads', 'rxjs'];

/** The most bytes of Anna's that were on their way: taken from her, and not yet back. */
function underway(seen: Seen): number {
  const all = seen.eventsOf('A').map((event) => {
    return event.did === 'progress' ? event.sent - event.echoed : 0;
  });
  return Math.max(...all);
}

export const aFlood: Lesson = {
  id: 'a-flood',
  title: 'Anna floods the server. Does Ben drown?',
  story:
    'Anna sends lines and reads the answers as fast as both go, for 1.2 seconds. Ben sends a short line now and then.',
  clients: { A: 'Anna', B: 'Ben' },
  args: [],
  shows: ['blocking', 'poll-loop', 'worker-threads', 'rxjs'],
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 50, who: 'B', do: 'connect' },
    { at: 100, who: 'B', do: 'send', text: 'before\r\n' },
    { at: 200, who: 'A', do: 'flood', bytes: 4e9 },
    { at: 500, who: 'B', do: 'send', text: 'one\r\n' },
    { at: 800, who: 'B', do: 'send', text: 'two\r\n' },
    { at: 1100, who: 'B', do: 'send', text: 'three\r\n' },
    { at: 1400, who: 'A', do: 'end' },
    { at: 2000, who: 'B', do: 'end', once: 'B' },
  ],
  duration: 2200,
  question: {
    asks: 'How long does Ben wait for an answer while Anna floods?',
    choices: [
      'He hardly notices it',
      'Several times as long as before, but he is answered',
      'Until Anna stops',
    ],
    answer: (seen) => {
      const during = seen.waits('B').slice(1);
      if ((seen.echoedAt('B', 2) ?? Infinity) > (seen.at('A', 'end') ?? 0)) return 2;
      return Math.max(...during) < 50 ? 0 : 1;
    },
  },
  number: {
    label: 'Ben’s longest wait',
    unit: 'ms',
    of: (seen) => seen.longestWait('B'),
    none: 'no line',
    badFrom: 200,
  },
  explanation: [
    {
      says: 'One loop does not starve anybody as long as it does a bounded piece of work for each client that is ready, and then looks at the others.',
      holds: (of) =>
        MODELS.every(
          (model) => (of(model).echoedAt('B', 4) ?? Infinity) < (of(model).at('A', 'end') ?? 0),
        ),
    },
    {
      says: 'Here that piece is what one recv(2) returns, so Ben waits for a few such pieces at most.',
    },
    {
      says: 'Nobody has to limit Anna: when the server reads no more than it can send back, the kernel’s buffers fill, and TCP slows her down.',
      holds: (of) => MODELS.every((model) => underway(of(model)) < 100_000_000),
    },
    {
      says: 'A second process or thread helps Ben only if it does not serve Anna: in `cluster` chance decides whether both have the same process.',
    },
    {
      says: '`blocking` answers Anna’s lines as fast as the others do, and does not accept Ben until she has left.',
      holds: (of) =>
        (of('blocking').echoedAt('B') ?? 0) > (of('blocking').at('A', 'end') ?? Infinity),
    },
  ],
  cures: 'One busy client starves a loop.',
  instead:
    'A loop that does a bounded piece of work for each client starves nobody, however much one of them sends.',
  source: [
    {
      model: 'poll-loop',
      file: 'raw-net/connection.ts',
      text: 'const received = sys.recv(this.fd, receiveBuffer, options.maxLine, RECEIVE_SIZE);',
      shows: 'One recv(2) for each turn: that bounds how long one client can hold the loop.',
    },
  ],
  exercise: {
    task: 'A loop that reads from a client “until there is nothing left” looks like an optimisation. What does Ben wait for then?',
    answer:
      'Anna can send as fast as the loop reads, so there is always something left: Ben waits until she stops. The bound on the work in one turn is what makes a loop fair.',
  },
  next: 'half-close',
};
