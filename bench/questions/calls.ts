import { crowding, type Figures, type Question, type Scene, SHORT } from '../question.ts';
import { SystemCallCount, whyNoCount } from '../system-calls.ts';

const crowd = 'counted';

/** Calls that are rarer than this, for each line, are not recorded by their names. */
const RARE = 0.01;

/** Ping-pong again, as in `echo`, while strace counts what the server asks of the kernel. */
export const calls: Question = {
  id: 'calls',
  title: 'How many system calls does an echo take?',
  note: 'strace counts them, and slows the server down: more lines are ready at each wait. Without strace, a server makes as many calls, or more.',
  measures: [
    { name: 'calls', words: 'system calls of the server', unit: 'per line', better: 'less' },
  ],
  baseline: 'pipe',
  maxRounds: ({ quick }) => (quick ? 1 : 3),
  obstacle: whyNoCount,
  refusal: crowding,
  cells: ({ quick }) =>
    [...(quick ? [] : [1]), 50].map((clients) => ({
      id: `calls-${clients}`,
      words: clients === 1 ? '1 client' : `${clients} clients`,
      connections: clients,
      seconds: 0.1,
      measure: (scene) => counted(scene, clients),
    })),
};

async function counted({ server, generator, effort }: Scene, clients: number): Promise<Figures> {
  const { port } = server;
  const size = { port, connections: clients, lineLength: SHORT, linesEach: 8 };
  await generator.tell('join', { ...size, crowd });
  const count = await SystemCallCount.attach(server.pids()); // now: some have a process for each client
  const loop = { crowd, window: 1, warmUp: 0, seconds: effort.seconds };
  const answer = generator.tell('closed', loop);
  await Promise.allSettled([answer]);
  const detached = count.detach();
  await Promise.allSettled([detached]);
  const { lines } = await answer;
  const counts = [...(await detached)];
  await generator.tell('prove', { crowd });
  await generator.tell('leave', { crowd });
  const all = counts.reduce((sum, [, made]) => sum + made, 0);
  const each = counts.map(([name, made]) => [`calls.${name}`, made / lines] as const);
  return {
    calls: all / lines,
    ...Object.fromEntries(each.filter(([, perLine]) => perLine >= RARE)),
  };
}
