import type { Lesson, Step } from '../lesson.ts';
import type { Seen } from '../seen.ts';

const NAMES = 'Anna Ben Cleo Dora Emil Faye Gus Hal Ida Jon Kim Leo Mia Ned Ola Pia';
const clients = Object.fromEntries(NAMES.split(' ').map((name) => [name.charAt(0), name]));
const CLIENTS = Object.keys(clients);

const [PROCESSES, THREADS, LOOP] = ['process-per-connection', 'thread-per-connection', 'poll-loop'];
const MODELS = [LOOP, THREADS, PROCESSES];

/** All clients do the same at the same time. */
function all(at: number, act: { do: 'connect' | 'end' } | { do: 'send'; text: string }): Step[] {
  return CLIENTS.map((who) => ({ at, who, ...act, ...(act.do === 'end' ? { once: who } : {}) }));
}

/** Each client's wait for its echo, in milliseconds; the whole time where there was none. */
function waits(seen: Seen): number[] {
  return CLIENTS.flatMap((who) => seen.longestWait(who) ?? []);
}

function longest(seen: Seen): number {
  return Math.max(0, ...waits(seen));
}

/** The tasks that have waited in recv(2) for one client, and for nobody else. */
function waitersForOne(seen: Seen): Set<string> {
  const waiting = seen.trace.facts.flatMap((fact) =>
    fact.fact === 'state' && fact.call === 'recv' && fact.on?.length === 1 ? [fact.task] : [],
  );
  return new Set(waiting);
}

export const aThreadForEach: Lesson = {
  id: 'a-thread-for-each',
  title: 'Sixteen clients come at once. What does a thread for each cost?',
  story:
    'Sixteen clients connect at the same moment, and each sends one line. (With a hundred the picture would only be longer.) The line itself costs nothing. After three seconds they leave.',
  clients,
  args: [],
  shows: MODELS,
  crowdsCores: true,
  script: [
    ...all(100, { do: 'connect' }),
    ...all(150, { do: 'send', text: 'hello\r\n' }),
    ...all(3000, { do: 'end' }),
  ],
  duration: 3200,
  question: {
    asks: 'How long does the last client wait for its echo?',
    choices: [
      'Hardly longer than the first one',
      'Until something has been started for it, and for those before it',
      'Until others have left',
    ],
    answer: (seen) => {
      const left = Math.min(...CLIENTS.map((who) => seen.at(who, 'end') ?? Infinity));
      if (CLIENTS.some((who) => (seen.echoedAt(who) ?? Infinity) > left)) return 2;
      return longest(seen) < 150 ? 0 : 1;
    },
  },
  number: {
    label: 'the longest wait',
    unit: 'ms',
    of: (seen) => (waits(seen).length > 0 ? longest(seen) : undefined),
    none: 'no line',
    badFrom: 150,
  },
  explanation: [
    {
      says: 'In `poll-loop` a client costs an entry in a table: one thread accepts all of them and answers one line after the other, so the last client hardly waits longer than the first.',
      holds: (of) => of(LOOP).trace.tasks.length === 1 && longest(of(LOOP)) < longest(of(THREADS)),
    },
    {
      says: 'In `thread-per-connection` a client is accepted when a thread is ready for it: some threads are ready before anybody comes, the others have to be started, and meanwhile their clients wait in the backlog.',
      holds: (of) => {
        const accepted = (who: string) => of(THREADS).acceptedAt(who) ?? Infinity;
        const answered = Math.min(...CLIENTS.map((who) => of(THREADS).echoedAt(who) ?? Infinity));
        return (
          waitersForOne(of(THREADS)).size > 1 && CLIENTS.some((who) => accepted(who) > answered)
        );
      },
    },
    {
      says: 'After its echo each thread sleeps in recv(2) for its own client, which takes no CPU; but a thread that runs JavaScript has a heap of its own, and keeps it for as long as the client stays.',
      holds: (of) =>
        (of(THREADS).grownBy ?? 0) > 20e6 &&
        (of(THREADS).grownBy ?? 0) > 4 * (of(LOOP).grownBy ?? 0),
    },
    {
      says: '`process-per-connection` starts a whole program for each client, and that takes longer than to start a thread; what each keeps for itself is about as much, because the kernel has the pages of the program only once.',
      holds: (of) => {
        const processes = of(PROCESSES).trace.tasks.filter(({ kind }) => kind === 'process');
        const [own, ofThreads] = [of(PROCESSES).grownBy ?? 0, of(THREADS).grownBy ?? 0];
        return (
          processes.length >= CLIENTS.length &&
          // On a busy machine the first have left before the last have come.
          own > 10e6 &&
          own < 5 * ofThreads &&
          longest(of(PROCESSES)) > longest(of(LOOP))
        );
      },
    },
    {
      says: 'In return the program reads as if there were one client, the kernel shares the cores fairly when lines cost CPU, and with processes a crash ends one connection only.',
    },
  ],
  cures: 'A thread that sleeps costs nothing.',
  instead:
    'It costs no CPU while it sleeps. But somebody has waited until it was started, and it keeps its memory until it ends.',
  source: [
    {
      model: THREADS as string,
      file: 'models/thread-per-connection/index.ts',
      text: 'const worker = new Worker(program',
      shows:
        'A thread with an engine of its own. The first client for whom none is ready waits for this.',
    },
    {
      model: PROCESSES as string,
      file: 'models/process-per-connection/index.ts',
      text: 'const child = spawn(process.execPath',
      shows: 'A whole program for one client.',
    },
  ],
  exercise: {
    task: '`examples/echo.c` has a thread for each client, too. Compile it (`mkdir -p build && cc -O2 -pthread -o build/echo examples/echo.c`) and play this lesson with it: `npx tsx lab --text a-thread-for-each thread-per-connection -- build/echo`. Which of the costs are those of threads, and which those of JavaScript in threads?',
    answer:
      'In C the last of the sixteen waits about as long as in `poll-loop`. To start a thread of the kernel took 20 microseconds where this was written, and what it kept was 8 kB of its stack; the milliseconds and megabytes belong to the JavaScript engine in each thread. What remains in any language is a limit (`ulimit -u`, the cgroup’s pids.max), and a switch between threads for each line.',
  },
};
