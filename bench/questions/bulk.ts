import { crowding, LONG, LOOP_MEASURES, type Question, throughput } from '../question.ts';

/** Many lines in flight. The window is part of the figure: with another one, reads find other amounts of data. */
const loads = [
  { clients: 1, window: 512 },
  { clients: 50, window: 64 },
];

export const bulk: Question = {
  id: 'bulk',
  title: 'How much flows through?',
  measures: [
    ...LOOP_MEASURES.filter(({ name }) => name === 'cpuPerLine'),
    { name: 'megabytesPerSecond', words: 'throughput', unit: 'MB/s', better: 'more' },
  ],
  baseline: 'pipe',
  refusal: crowding,
  cells: ({ quick }) =>
    loads.slice(quick ? 1 : 0).map(({ clients, window }) => ({
      id: `bulk-${clients}`,
      words: `${clients === 1 ? '1 client' : `${clients} clients`}, ${window} lines in flight each`,
      connections: clients,
      seconds: 0.1,
      measure: (scene) => throughput(scene, { clients, window, lineLength: LONG }),
    })),
};
