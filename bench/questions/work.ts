import { availableParallelism } from 'node:os';
import { type Question, type Scene, SHORT } from '../question.ts';

/** Clients that always have two lines on their way: more than there are cores. */
const BUSY = { connections: 4 * availableParallelism(), window: 2 };

/** Milliseconds that a line costs, and how many lines a second everyone else sends: little. */
const loads = [
  { work: 1, rate: 25, inQuick: true },
  { work: 5, rate: 10, inQuick: true },
  { work: 20, rate: 5, inQuick: false },
];

/** Lines that cost CPU: how many are answered, and how long somebody with one small question waits. */
export const work: Question = {
  id: 'work',
  title: 'And when a line costs CPU?',
  measures: [
    { name: 'linesPerSecond', words: 'lines answered', unit: 'lines/s', better: 'more' },
    { name: 'p50', words: 'everyone else waits (median)', unit: 'µs', better: 'less' },
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
        connections: BUSY.connections + 1,
        seconds: 0.8,
        measure: (scene) => underLoad(scene, rate),
      })),
};

async function underLoad({ server, generator, neighbour, effort }: Scene, rate: number) {
  const { port } = server;
  const warmUp = effort.warmUp;
  const seconds = effort.seconds + 0.5;
  const size = { port, lineLength: SHORT, linesEach: 64 };
  const { connections, window } = BUSY;
  await neighbour.tell('join', { ...size, crowd: 'else', connections: 1 });
  await generator.tell('join', { ...size, crowd: 'busy', connections });
  const [busy, others] = await Promise.allSettled([
    generator.tell('closed', { crowd: 'busy', window, warmUp, seconds }),
    neighbour.tell('open', { crowd: 'else', rate, warmUp, seconds }),
  ]);
  await generator.tell('leave', { crowd: 'busy' });
  await neighbour.tell('leave', { crowd: 'else' });
  if (busy.status === 'rejected') throw busy.reason;
  if (others.status === 'rejected') throw others.reason;
  const { linesPerSecond, saturation } = busy.value;
  return { ...others.value, linesPerSecond, saturation };
}
