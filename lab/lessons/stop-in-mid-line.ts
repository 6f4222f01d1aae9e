import type { Lesson } from '../lesson.ts';

const MODELS = ['poll-loop', 'worker-threads', 'cluster'];

export const stopInMidLine: Lesson = {
  id: 'stop-in-mid-line',
  title: 'SIGTERM while a line is computed. Who gets what?',
  story:
    'Anna has sent two lines that cost 80 ms of CPU each. Ben has sent half a line. Then the server is told to stop. Cleo connects too late.',
  clients: { A: 'Anna', B: 'Ben', C: 'Cleo' },
  args: ['--work', '80'],
  shows: MODELS,
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 30, who: 'B', do: 'connect' },
    { at: 100, who: 'B', do: 'send', text: 'hal' },
    { at: 150, who: 'A', do: 'send', text: 'A1\r\nA2\r\n' },
    { at: 180, who: 'server', do: 'stop' },
    { at: 700, who: 'C', do: 'connect', once: 'A' },
  ],
  duration: 900,
  question: {
    asks: 'What does Anna get?',
    choices: ['Both answers, then FIN', 'One answer, then FIN', 'A reset'],
    answer: (seen) => {
      if (seen.at('A', 'cut') !== undefined) return 2;
      const lines = seen.echoes('A').length;
      return lines === 2 ? 0 : lines === 1 ? 1 : undefined;
    },
  },
  number: {
    label: 'from SIGTERM to the end',
    unit: 'ms',
    of: (seen) => {
      const [signal, exit] = [seen.at('server', 'signal'), seen.at('server', 'exit')];
      return signal === undefined || exit === undefined ? undefined : exit - signal;
    },
    none: 'goes on',
  },
  explanation: [
    {
      says: 'To stop in order is a protocol, not a call of exit(3): stop accepting, answer the lines that are complete, send FIN, wait for the clients to close.',
      holds: (of) =>
        MODELS.every((model) => {
          const exit = of(model).trace.events.find(({ did }) => did === 'exit');
          return exit?.did === 'exit' && exit.how === 0;
        }),
    },
    {
      says: 'Anna’s lines were complete, so she gets both answers, and then the server’s FIN.',
      holds: (of) =>
        MODELS.every((model) => {
          const seen = of(model);
          return (
            seen.echoes('A').length === 2 &&
            (seen.at('A', 'fin') ?? 0) >= (seen.echoedAt('A', 2) ?? Infinity)
          );
        }),
    },
    {
      says: 'Ben’s half line is not a line: he gets a FIN, and no echo.',
      holds: (of) =>
        MODELS.every(
          (model) => of(model).at('B', 'fin') !== undefined && of(model).echoes('B').length === 0,
        ),
    },
    {
      says: 'Cleo is refused by the kernel, because nobody listens any more; a moment earlier she would have been in the backlog, and reset with it.',
      holds: (of) =>
        MODELS.every((model) => {
          const seen = of(model);
          return (seen.at('C', 'error') ?? seen.at('C', 'cut')) !== undefined;
        }),
    },
    {
      says: 'A thread that computes handles no signal: in `poll-loop` the handler runs after the current line, in `worker-threads` at once.',
    },
  ],
  cures: 'To stop is to call exit().',
  instead:
    'exit(3) drops the lines that were not answered yet. A server that stops in order answers them first.',
  source: [
    {
      model: 'poll-loop',
      file: 'raw-net/begin.ts',
      text: 'closeListeners();',
      shows: 'The first thing: no new clients.',
    },
  ],
  exercise: {
    task: 'Send SIGKILL instead of SIGTERM (`kill -9`). Who gets what now? Then look up how long your system gives a service between the two.',
    answer:
      'Nobody gets anything more: the kernel closes all sockets at once, and with unread bytes it sends resets. systemd waits 90 seconds by default, docker stop 10 seconds, Kubernetes 30.',
  },
  next: 'readiness-and-completion',
};
