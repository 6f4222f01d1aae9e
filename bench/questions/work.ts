import { availableParallelism } from 'node:os';
import { cpuSeconds } from '../cpu-time.ts';
import { crowding, type Question, type Scene, SHORT } from '../question.ts';

/**
 * Clients that always have two lines on their way: more than there are cores. Not more than 50, because
 * on one thread 100 lines of 20 ms take two seconds, for which everyone else has to wait.
 */
export const busyClients = (cores: number): number => Math.min(4 * cores, 50);
const BUSY = { connections: busyClients(availableParallelism()), window: 2 };

/** Milliseconds that a line costs, and how many lines a second the other clients send: few. */
export const WORK = 1;
const RATE = 50;

/** The other clients: so many that no line waits for another line of the same client. */
const ELSE = 32;

/** How many of their lines the median needs, in a quick run and in a full one. */
const ENOUGH = { quick: 25, full: 50 };

/** Lines that cost CPU: how many are answered, and how long a client with a single line waits. */
export const work: Question = {
  id: 'work',
  title: 'And when a line costs CPU?',
  measures: [
    { name: 'linesPerSecond', words: 'lines answered', unit: 'lines/s', better: 'more' },
    { name: 'p50', words: 'everyone else waits (median)', unit: 'µs', better: 'less' },
    // Not a contest, but a check: if a server took less than it should, its --work was badly calibrated.
    { name: 'cpu', words: 'ms of CPU a line took', unit: '', better: 'less' },
  ],
  baseline: 'poll-loop',
  maxRounds: ({ quick }) => (quick ? 1 : undefined),
  refusal: (contestant, cell) =>
    contestant.kind === 'model' ? crowding(contestant, cell) : 'no option --work',
  cells: ({ quick }) => [
    {
      id: `work-${WORK}`,
      words: `${WORK} ms a line`,
      args: ['--work', `${WORK}`],
      // One has found out once how fast this machine is, and errs in all rounds alike: a fresh one errs anew.
      isStartedAnew: true,
      connections: BUSY.connections + ELSE,
      seconds: quick ? 1 : 1.4,
      measure: (scene) => underLoad(scene, RATE),
    },
  ],
};

async function underLoad({ server, generator, neighbour, effort }: Scene, rate: number) {
  const { port } = server;
  const warmUp = effort.warmUp;
  const seconds = (effort.quick ? ENOUGH.quick : ENOUGH.full) / rate;
  const size = { port, lineLength: SHORT, linesEach: 64 };
  const { connections, window } = BUSY;
  await neighbour.tell('join', { ...size, crowd: 'else', connections: ELSE });
  await generator.tell('join', { ...size, crowd: 'busy', connections });
  const pids = server.pids();
  const cpuBefore = cpuSeconds(pids);
  const [busy, others] = await Promise.allSettled([
    generator.tell('closed', { crowd: 'busy', window, warmUp, seconds }),
    neighbour.tell('open', { crowd: 'else', rate, warmUp, seconds }),
  ]);
  const cpu = cpuSeconds(pids) - cpuBefore;
  await generator.tell('leave', { crowd: 'busy' });
  await neighbour.tell('leave', { crowd: 'else' });
  if (busy.status === 'rejected') throw busy.reason;
  if (others.status === 'rejected') throw others.reason;
  const { linesPerSecond, lines } = busy.value;
  const saturation = Math.max(busy.value.saturation, others.value.saturation);
  const all = lines + Math.round(rate * (warmUp + seconds));
  return { ...others.value, linesPerSecond, saturation, cpu: (cpu * 1000) / all };
}
