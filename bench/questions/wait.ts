import { crowding, type Question, SHORT, throughput } from '../question.ts';

/** Milliseconds that each line waits for something other than the CPU. */
const WAIT = 50;
/** Clients with a line on its way at all times, unless the server has fewer places. */
const CLIENTS = 50;

/** Lines that wait for a database, say. A server that can wait for all clients at once reaches the ideal. */
export const wait: Question = {
  id: 'wait',
  title: 'And when a line waits?',
  measures: [
    {
      name: 'linesPerSecond',
      words: 'lines answered',
      unit: 'lines/s',
      better: 'more',
      ideal: (CLIENTS * 1000) / WAIT,
    },
  ],
  baseline: 'poll-loop',
  maxRounds: ({ quick }) => (quick ? 1 : undefined),
  refusal(contestant, cell) {
    if (contestant.kind !== 'model') return 'no option --wait';
    // That it has one client at a time is what is to be seen here.
    return contestant.clients === 1 ? undefined : crowding(contestant, cell);
  },
  cells: () => [
    {
      id: `wait-${WAIT}`,
      words: `${CLIENTS} clients, ${WAIT} ms a line`,
      args: ['--wait', `${WAIT}`],
      connections: CLIENTS,
      seconds: 1,
      measure(scene) {
        const { quick, seconds } = scene.effort;
        return throughput(
          { ...scene, effort: { ...scene.effort, seconds: Math.max(seconds, quick ? 0.5 : 1) } },
          {
            clients: Math.min(CLIENTS, scene.clients),
            window: 1,
            lineLength: SHORT,
            // All at once, their echoes would also come all at once: one lot more or less is much in a second.
            beginOver: WAIT,
          },
        );
      },
    },
  ],
};
