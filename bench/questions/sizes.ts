import { crowding, LOOP_MEASURES, type Question, throughput } from '../question.ts';

const CLIENTS = 50;

/** KiB of a line; `echo` asks the same with 64 bytes. One line is in flight, so no read ends in the middle of two. */
const sizes = [1, 16];

/** Ping-pong with longer lines: what a call costs weighs less then, and what a copy costs weighs more. */
export const lineSizes: Question = {
  id: 'sizes',
  title: 'Does the size of a line matter?',
  measures: LOOP_MEASURES,
  baseline: 'pipe',
  maxRounds: ({ quick }) => (quick ? 1 : 3),
  refusal: crowding,
  cells: ({ quick }) =>
    sizes.slice(quick ? 1 : 0).map((kibibytes) => ({
      id: `sizes-${kibibytes * 1024}`,
      words: `${CLIENTS} clients, lines of ${kibibytes} KiB`,
      connections: CLIENTS,
      seconds: 0.1,
      measure: (scene) =>
        throughput(scene, { clients: CLIENTS, window: 1, lineLength: kibibytes * 1024 }),
    })),
};
