import { type Question, rethrow, SHORT } from '../question.ts';

/** How many clients are connected at a time, over all generators. */
const CLIENTS = 16;

export const comeAndGo: Question = {
  id: 'come-and-go',
  title: 'How fast do clients come and go?',
  measures: [{ name: 'clientsPerSecond', words: 'clients', unit: 'clients/s', better: 'more' }],
  baseline: 'pipe',
  maxRounds: ({ quick }) => (quick ? 1 : undefined),
  // Nobody has too few places: each client leaves after its echo.
  refusal: () => undefined,
  cells: () => [
    {
      id: 'come-and-go',
      words: `${CLIENTS} at a time: connect, one echo, close`,
      connections: CLIENTS,
      seconds: 0.1,
      async measure({ server, generators, effort }) {
        const clients = CLIENTS / generators.length;
        const { warmUp, seconds } = effort;
        const order = { port: server.port, clients, lineLength: SHORT, warmUp, seconds };
        const results = rethrow(
          await Promise.allSettled(generators.map((each) => each.tell('churn', order))),
        );
        return {
          clientsPerSecond: results.reduce((sum, each) => sum + each.clientsPerSecond, 0),
          saturation: Math.max(...results.map(({ saturation }) => saturation)),
        };
      },
    },
  ],
};
