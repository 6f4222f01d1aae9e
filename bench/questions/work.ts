import { availableParallelism } from 'node:os';
import { type Question, type Scene, SHORT } from '../question.ts';

/**
 * Clients that always have two lines on their way: more than there are cores. Not more than 50, because
 * on one thread 100 lines of 20 ms take two seconds, for which everyone else has to wait.
 */
const BUSY = { connections: Math.min(4 * availableParallelism(), 50), window: 2 };

/** Milliseconds that a line costs, and how many lines a second the other clients send: few. */
const loads = [
  { work: 1, rate: 50, inQuick: true },
  { work: 5, rate: 20, inQuick: false },
  { work: 20, rate: 10, inQuick: false },
];

/** The other clients: so many that no line waits for another line of the same client. */
const ELSE = 32;

/** How many of their lines the median needs. */
const ENOUGH = 50;

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
  admits: ({ kind, oneClient }) => kind === 'model' && !oneClient,
  cells: ({ quick }) =>
    loads
      .filter(({ inQuick }) => inQuick || !quick)
      .map(({ work, rate }) => ({
        id: `work-${work}`,
        words: `${work} ms a line`,
        args: ['--work', `${work}`],
        connections: BUSY.connections + ELSE,
        seconds: 1.3 + Math.max(0.5, ENOUGH / rate - 0.7),
        measure: (scene) => underLoad(scene, rate),
      })),
};

async function underLoad({ server, generator, neighbour, effort }: Scene, rate: number) {
  const { port } = server;
  const warmUp = effort.warmUp;
  const seconds = Math.max(effort.seconds + 0.5, ENOUGH / rate);
  const size = { port, lineLength: SHORT, linesEach: 64 };
  const { connections, window } = BUSY;
  await neighbour.tell('join', { ...size, crowd: 'else', connections: ELSE });
  await generator.tell('join', { ...size, crowd: 'busy', connections });
  const cpuBefore = server.cpuSeconds();
  const [busy, others] = await Promise.allSettled([
    generator.tell('closed', { crowd: 'busy', window, warmUp, seconds }),
    neighbour.tell('open', { crowd: 'else', rate, warmUp, seconds }),
  ]);
  const cpu = server.cpuSeconds() - cpuBefore;
  await generator.tell('leave', { crowd: 'busy' });
  await neighbour.tell('leave', { crowd: 'else' });
  if (busy.status === 'rejected') throw busy.reason;
  if (others.status === 'rejected') throw others.reason;
  const { linesPerSecond, lines } = busy.value;
  const saturation = Math.max(busy.value.saturation, others.value.saturation);
  const all = lines + Math.round(rate * (warmUp + seconds));
  return { ...others.value, linesPerSecond, saturation, cpu: (cpu * 1000) / all };
}
