import { crowding, LOOP_MEASURES, type Question, SHORT, throughput } from '../question.ts';

/** Clients in ping-pong, while others are connected and silent. */
const ACTIVE = 50;

export const growth: Question = {
  id: 'growth',
  title: 'How does it grow?',
  measures: LOOP_MEASURES,
  baseline: 'pipe',
  maxRounds: ({ quick }) => (quick ? 1 : undefined),
  refusal: crowding,
  cells: ({ quick }) =>
    (quick ? [0, 2000] : [0, 1000, 10_000]).map((silent) => ({
      id: `growth-${silent}`,
      words: `beside ${silent.toLocaleString('en-US')} silent clients`,
      connections: silent + ACTIVE,
      seconds: 0.1 + silent / 5000,
      async measure(scene) {
        const crowd = 'silent';
        if (silent > 0) {
          const { port } = scene.server;
          const size = { port, connections: silent, lineLength: SHORT, linesEach: 1 };
          await scene.neighbour.tell('join', { ...size, crowd });
        }
        const figures = await throughput(scene, { clients: ACTIVE, window: 1, lineLength: SHORT });
        if (silent > 0) await scene.neighbour.tell('prove', { crowd });
        await scene.neighbour.tell('leave', { crowd });
        return figures;
      },
    })),
};
