import { crowding, LOOP_MEASURES, type Question, SHORT, throughput } from '../question.ts';

/** Ping-pong: each client sends a line when the last one has come back. */
export const echo: Question = {
  id: 'echo',
  title: 'How fast is one echo?',
  measures: LOOP_MEASURES,
  baseline: 'pipe',
  refusal: crowding,
  cells: ({ quick }) =>
    [1, 50, ...(quick ? [] : [500])].map((clients) => ({
      id: `echo-${clients}`,
      words: clients === 1 ? '1 client' : `${clients} clients`,
      connections: clients,
      seconds: 0.1,
      measure: (scene) => throughput(scene, { clients, window: 1, lineLength: SHORT }),
    })),
};
