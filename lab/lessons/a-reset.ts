import type { Lesson } from '../lesson.ts';
import type { Seen } from '../seen.ts';

/** When Anna's program died. */
function reset(seen: Seen): number {
  return seen.at('A', 'reset') ?? 0;
}

export const aReset: Lesson = {
  id: 'a-reset',
  title: 'Anna crashes in mid-line. Who notices?',
  story:
    'Anna sends half a line. At 0.9 seconds her program dies, and her kernel sends a reset (RST). Ben is connected and sends a line before it, and one after it.',
  clients: { A: 'Anna', B: 'Ben' },
  args: [],
  shows: ['blocking', 'poll-loop', 'rxjs'],
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 100, who: 'A', do: 'send', text: 'hal' },
    { at: 300, who: 'B', do: 'connect' },
    { at: 400, who: 'B', do: 'send', text: 'one\r\n' },
    { at: 900, who: 'A', do: 'reset' },
    { at: 1200, who: 'B', do: 'send', text: 'two\r\n' },
    { at: 1400, who: 'B', do: 'end', once: 'B' },
  ],
  duration: 1500,
  question: {
    asks: 'What does Anna’s reset mean for Ben?',
    choices: ['Nothing', 'It frees him: until then he has to wait', 'It ends his connection, too'],
    answer: (seen) => {
      if (seen.wasCutOff('B') || seen.at('server', 'exit') !== undefined) return 2;
      const first = seen.echoedAt('B');
      return first === undefined ? undefined : first < reset(seen) ? 0 : 1;
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
      says: 'A reset is an error of one connection: recv(2) or send(2) on it returns ECONNRESET, or the loop is told that the socket has an error.',
      holds: (of) =>
        ['blocking', 'poll-loop', 'rxjs'].every((model) => {
          const closed = of(model).trace.facts.find(
            (fact) => fact.fact === 'holder' && fact.client === 'A' && fact.where === 'closed',
          );
          return closed !== undefined && closed.t >= reset(of(model)) - 5;
        }),
    },
    {
      says: 'The server closes that socket and forgets the half line; no other connection is touched.',
      holds: (of) =>
        ['blocking', 'poll-loop', 'rxjs'].every(
          (model) => !of(model).wasCutOff('B') && of(model).isAnswered('B'),
        ),
    },
    {
      says: 'In `poll-loop` and `rxjs` Ben had his first answer long before, and notices nothing.',
      holds: (of) =>
        ['poll-loop', 'rxjs'].every(
          (model) => (of(model).echoedAt('B') ?? Infinity) < reset(of(model)),
        ),
    },
    {
      says: 'For `blocking` the reset is the first news from Anna for 0.8 seconds: recv(2) returns, and Ben is accepted.',
      holds: (of) => (of('blocking').acceptedAt('B') ?? 0) >= reset(of('blocking')) - 5,
    },
    {
      says: 'If Anna’s machine had lost its power, no reset would have come at all: that is what `--idle-timeout` is for.',
    },
  ],
  cures: 'One client’s error is the server’s error.',
  instead: 'An error of one socket ends one connection, if the server handles it.',
  source: [
    {
      model: 'blocking',
      file: 'blocking-net/echo.ts',
      text: 'else if (error instanceof SocketError) reason = error.code;',
      shows: 'An error of this client’s socket ends this client, and is written to the log.',
    },
  ],
  exercise: {
    task: 'Start a model with `--idle-timeout 5`, run `npx tsx client --hold-partial` against it, and suspend the client with Ctrl-Z: it is silent, but its kernel still answers. What does the server do after five seconds, and what would it do without the option?',
    answer:
      'It closes the connection after five seconds of silence. Without the option it keeps the connection as long as the client’s kernel answers the probes of keepalive. A machine that has lost its power does not answer them, and is noticed when they have failed.',
  },
  next: 'kill-a-worker',
};
