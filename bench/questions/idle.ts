import { setTimeout as sleep } from 'node:timers/promises';
import { type Figures, type Question, SHORT } from '../question.ts';

/** Milliseconds after which a server is idle, and its memory is measured. */
const SETTLED = 400;

/** Clients that have sent one line, and then are silent. */
export const idle: Question = {
  id: 'idle',
  title: 'What does a silent client cost?',
  measures: [
    { name: 'startUp', words: 'from start to first echo', unit: 'ms', better: 'less' },
    { name: 'memory', words: 'memory without clients', unit: 'MiB', better: 'less' },
    { name: 'each50', words: 'each of 50 silent clients', unit: 'KiB', better: 'less' },
    { name: 'each1000', words: 'each of 1,000 silent clients', unit: 'KiB', better: 'less' },
    { name: 'each9000', words: 'each of 9,000 more silent clients', unit: 'KiB', better: 'less' },
    { name: 'processes', words: 'processes', unit: '', better: 'less' },
    { name: 'threads', words: 'threads', unit: '', better: 'less' },
  ],
  baseline: 'pipe',
  freshServers: true,
  maxRounds: ({ quick }) => (quick ? 1 : 3),
  refusal: () => undefined,
  cells: ({ quick }) => [
    {
      id: 'idle',
      words: 'silent clients',
      connections: quick ? 1000 : 10_000,
      seconds: quick ? 1.7 : 4.5,
      async measure({ server, neighbour, startUp, clients: most }) {
        await sleep(SETTLED);
        const alone = server.weight();
        const figures: Record<string, number> = {
          startUp,
          memory: alone.bytes / 2 ** 20,
          processes: alone.processes,
          threads: alone.threads,
        };
        if (most < 50) return figures satisfies Figures;
        // The figure of the first crowd includes what the server allocates once, when it begins to work.
        const crowds = most < 1000 ? [50] : quick ? [1000] : [1000, 9000];
        let before = alone;
        for (const clients of crowds) {
          await neighbour.tell('join', {
            crowd: `silent-${clients}`,
            port: server.port,
            connections: clients,
            lineLength: SHORT,
            linesEach: 1,
          });
          await sleep(SETTLED);
          const now = server.weight();
          figures[`each${clients}`] = (now.bytes - before.bytes) / clients / 1024;
          before = now;
        }
        for (const clients of crowds) await neighbour.tell('prove', { crowd: `silent-${clients}` });
        await server.stop();
        await neighbour.tell('dismiss', {});
        return figures satisfies Figures;
      },
    },
  ],
};
