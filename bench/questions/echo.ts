import { type Question, SHORT, throughput } from '../question.ts';

/** Ping-pong: each client sends a line when the last one has come back. */
export const echo: Question = {
  id: 'echo',
  title: 'How fast is one echo?',
  measures: [{ name: 'linesPerSecond', words: 'echoes', unit: 'lines/s', better: 'more' }],
  baseline: 'pipe',
  admits: (contestant, cell) => !contestant.oneClient || cell.connections === 1,
  cells: ({ quick }) =>
    [1, 50, 500, ...(quick ? [] : [5000])].map((clients) => ({
      id: `echo-${clients}`,
      words: clients === 1 ? '1 client' : `${clients.toLocaleString('en-US')} clients`,
      connections: clients,
      seconds: clients > 1000 ? 0.8 : 0.1,
      measure: (scene) => throughput(scene, { clients, window: 1, lineLength: SHORT }),
    })),
};
