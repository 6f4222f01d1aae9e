import type { Lesson } from '../lesson.ts';

const MODELS = ['poll-loop', 'worker-threads', 'cluster'];

export const halfClose: Lesson = {
  id: 'half-close',
  title: 'Anna says that she is done. Is it over?',
  story:
    'Anna sends three lines and half a fourth. 10 ms later she sends her FIN: she will send no more, but she still wants to read. Each line costs the server 80 ms of CPU.',
  clients: { A: 'Anna' },
  args: ['--work', '80'],
  shows: MODELS,
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 100, who: 'A', do: 'send', text: 'A1\r\nA2\r\nA3\r\nhal' },
    { at: 110, who: 'A', do: 'end' },
  ],
  duration: 600,
  question: {
    asks: 'How many answers does Anna get?',
    choices: ['None', 'One or two', 'Three', 'Four: three lines and the half one'],
    answer: (seen) => {
      const lines = seen.echoes('A').length;
      const hasPart = seen.eventsOf('A').some(({ did }) => did === 'part');
      return hasPart ? 3 : lines === 0 ? 0 : lines < 3 ? 1 : 2;
    },
  },
  number: {
    label: 'answers after her FIN',
    unit: 'echoes',
    of: (seen) => seen.echoes('A').length,
    none: 'none',
  },
  explanation: [
    {
      says: 'A connection is two streams, one in each direction, and FIN ends one of them.',
      holds: (of) =>
        MODELS.every(
          (model) => (of(model).echoedAt('A') ?? 0) > (of(model).at('A', 'end') ?? Infinity),
        ),
    },
    {
      says: 'The server reads “end of input” from recv(2), which returns 0; what it owes is still to be sent.',
      holds: (of) => MODELS.every((model) => of(model).echoes('A').length === 3),
    },
    {
      says: 'Half a line that has no end before the FIN can never be finished, so it is dropped.',
      holds: (of) =>
        MODELS.every(
          (model) =>
            !of(model)
              .eventsOf('A')
              .some(({ did }) => did === 'part'),
        ),
    },
    {
      says: 'When the last answer is sent, the server closes its stream, too, and Anna sees its FIN behind the third answer.',
      holds: (of) =>
        MODELS.every(
          (model) => (of(model).at('A', 'fin') ?? 0) >= (of(model).echoedAt('A', 3) ?? Infinity),
        ),
    },
    {
      says: 'A server that closes at once when it reads the end loses answers, and `printf … | nc` prints nothing.',
    },
  ],
  cures: 'FIN is goodbye.',
  instead:
    'FIN means “I will send no more”. The other direction stays open until the other side sends its own FIN.',
  source: [
    {
      model: 'cluster',
      file: 'node-net/connection.ts',
      text: 'const isOver = this.reason !== undefined || this.socket.readableEnded;',
      shows: 'The client’s FIN ends the connection only after the last answer.',
    },
  ],
  exercise: {
    task: 'Try `printf "one\\r\\ntwo\\r\\n" | nc -N 127.0.0.1 12321` against a model, then against a Node server without `allowHalfOpen: true` that answers a moment later. What is lost, and who has lost it?',
    answer:
      'Without `allowHalfOpen`, Node closes the server’s side as soon as the client’s FIN has come. Answers that are not sent by then are lost in the server; the client sees an orderly FIN and no error.',
  },
  next: 'a-reset',
};
