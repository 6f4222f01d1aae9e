import type { Lesson } from '../lesson.ts';
import type { Seen } from '../seen.ts';

const CLIENTS = ['A', 'B', 'C', 'D'];

function cutOff(seen: Seen): string[] {
  return CLIENTS.filter((who) => seen.wasCutOff(who));
}

export const killAWorker: Lesson = {
  id: 'kill-a-worker',
  title: 'kill -9 in the middle of the service. Who notices?',
  story:
    'Four clients are connected, and each has sent a line. Then the process that holds Anna’s connection is killed. Then each of the four wants to send another line.',
  clients: { A: 'Anna', B: 'Ben', C: 'Cleo', D: 'Dora' },
  args: [],
  shows: ['cluster', 'worker-threads', 'poll-loop'],
  script: [
    { at: 0, who: 'A', do: 'connect' },
    // All at once: while one process is busy with a client, another one may accept the next.
    { at: 0, who: 'B', do: 'connect' },
    { at: 0, who: 'C', do: 'connect' },
    { at: 0, who: 'D', do: 'connect' },
    { at: 300, who: 'A', do: 'send', text: 'A1\r\n' },
    { at: 350, who: 'B', do: 'send', text: 'B1\r\n' },
    { at: 400, who: 'C', do: 'send', text: 'C1\r\n' },
    { at: 450, who: 'D', do: 'send', text: 'D1\r\n' },
    { at: 700, who: 'A', do: 'kill' },
    { at: 1000, who: 'A', do: 'send', text: 'A2\r\n' },
    { at: 1050, who: 'B', do: 'send', text: 'B2\r\n' },
    { at: 1100, who: 'C', do: 'send', text: 'C2\r\n' },
    { at: 1150, who: 'D', do: 'send', text: 'D2\r\n' },
    { at: 1400, who: 'B', do: 'end', once: 'B' },
    { at: 1400, who: 'C', do: 'end', once: 'C' },
    { at: 1400, who: 'D', do: 'end', once: 'D' },
  ],
  duration: 1500,
  wants: {
    what: 'clients in more than one process',
    isThere: (seen) => {
      const [killed = 0] = [seen.at('server', 'signal')];
      const before = seen.trace.tasks.filter(({ kind, t }) => kind === 'process' && t < killed);
      return before.length < 2 || new Set(CLIENTS.map((who) => seen.holders(who)[0])).size > 1;
    },
  },
  question: {
    asks: 'Whose connection breaks?',
    choices: ['Nobody’s', 'Those of the clients of that process', 'Everybody’s'],
    answer: (seen) => {
      const broken = cutOff(seen).length;
      return broken === 0 ? 0 : broken === CLIENTS.length ? 2 : 1;
    },
  },
  number: {
    label: 'connections lost',
    unit: 'clients',
    of: (seen) => cutOff(seen).length,
    none: 'none',
  },
  explanation: [
    {
      says: 'A process that is killed cannot end its connections in order; the kernel closes its sockets and tells the clients, with FIN or with RST.',
      holds: (of) =>
        ['cluster', 'poll-loop', 'worker-threads'].every((model) => of(model).wasCutOff('A')),
    },
    {
      says: 'In `cluster` each connection belongs to the process that happened to accept it, so only the clients of that process lose theirs.',
      holds: (of) => {
        const seen = of('cluster');
        const [victim] = seen.holders('A');
        return CLIENTS.every((who) => seen.wasCutOff(who) === (seen.holders(who)[0] === victim));
      },
    },
    {
      says: 'The others get their answers as if nothing had happened, and the primary starts a new process.',
      holds: (of) => {
        const seen = of('cluster');
        return (
          seen.at('server', 'exit') === undefined &&
          CLIENTS.every((who) => seen.wasCutOff(who) || seen.isAnswered(who)) &&
          seen.trace.tasks.filter(({ kind }) => kind === 'process').length >= 2
        );
      },
    },
    {
      says: 'Threads share one process: a kill ends `worker-threads` as a whole, as it ends `poll-loop`, and all four clients notice.',
      holds: (of) =>
        ['worker-threads', 'poll-loop'].every(
          (model) => cutOff(of(model)).length === CLIENTS.length,
        ),
    },
    {
      says: 'What isolation costs is that processes share nothing: they have no common memory and no common queue of lines, and a common limit needs messages.',
    },
  ],
  cures: 'Isolation is free, and threads have it.',
  instead:
    'Only processes are isolated from each other, and what that costs is everything that they cannot share.',
  source: [
    {
      model: 'cluster',
      file: 'models/cluster/index.ts',
      text: "worker.once('exit', (code, signal) => {",
      shows: 'The primary notices the death and starts another worker; the connections are gone.',
    },
  ],
  exercise: {
    task: 'What would have to be true for Anna to lose nothing when her process is killed?',
    answer:
      'Her connection would have to live in a process that does not die: a front that owns the sockets and gives lines to workers, and repeats a line whose worker has died. Then the front is what must not die, and a line may be computed twice.',
  },
  next: 'stop-in-mid-line',
};
