import type { Generator } from '../generator-process.ts';
import { crowding, LONG, type Question, type Scene, SHORT } from '../question.ts';

/** The polite clients: how many they are, and how many lines a second they send in all. */
const POLITE = { connections: 20, rate: 4000 };
/** How many of their lines a 99th percentile needs. */
const ENOUGH = 2000;

/** A bad neighbour: what it does before the measurement, and during it. */
interface Neighbour {
  readonly id: string;
  readonly words: string;
  readonly inQuick: boolean;
  readonly clients: number;
  begin?(neighbour: Generator): Promise<unknown>;
  during?(neighbour: Generator, seconds: number): Promise<unknown>;
}

const crowd = 'neighbours';
/** Bytes: more than a server can send to these clients, whose buffers are small, so that output is pending. */
const UNREAD = 256 * 1024;
const stall = (neighbour: Generator) => neighbour.tell('stall', { crowd, limitEach: UNREAD });
const unfinished = (neighbour: Generator) => neighbour.tell('unfinished', { crowd });
const flood = (neighbour: Generator, seconds: number) =>
  neighbour.tell('closed', { crowd, window: 256, warmUp: 0, seconds });

const neighbours: readonly Neighbour[] = [
  { id: 'alone', words: 'alone', inQuick: false, clients: 0 },
  { id: 'slow', words: 'beside 40 that do not read', inQuick: false, clients: 40, begin: stall },
  {
    id: 'partial',
    words: 'beside 40 partial lines',
    inQuick: false,
    clients: 40,
    begin: unfinished,
  },
  { id: 'flood', words: 'beside a flood', inQuick: true, clients: 1, during: flood },
];

/** Lines at a fixed rate from polite clients, timed from when each was due. */
export const badNeighbours: Question = {
  id: 'neighbours',
  title: 'Who suffers from a bad neighbour?',
  measures: [
    { name: 'p50', words: 'median', unit: 'µs', better: 'less' },
    { name: 'p99', words: '99th percentile', unit: 'µs', better: 'less' },
  ],
  baseline: 'pipe',
  maxRounds: ({ quick }) => (quick ? 1 : 3),
  refusal: crowding,
  cells: ({ quick }) =>
    neighbours
      .filter(({ inQuick }) => inQuick || !quick)
      .map((each) => ({
        id: `neighbours-${each.id}`,
        words: each.words,
        connections: POLITE.connections + each.clients,
        seconds: each.begin ? 0.7 : 0.4,
        measure: (scene) => beside(each, scene),
      })),
};

async function beside(each: Neighbour, { server, generator, neighbour, effort }: Scene) {
  const { port } = server;
  const { connections, rate } = POLITE;
  const { warmUp } = effort;
  const seconds = Math.max(effort.seconds, ENOUGH / rate);
  await generator.tell('join', {
    crowd: 'polite',
    port,
    connections,
    lineLength: SHORT,
    linesEach: 32,
  });
  if (each.clients > 0) {
    const narrow = each.begin !== undefined;
    await neighbour.tell('join', {
      crowd,
      port,
      connections: each.clients,
      lineLength: LONG,
      linesEach: 300 / Math.min(each.clients, 30),
      narrow,
    });
  }
  await each.begin?.(neighbour);
  const polite = generator.tell('open', { crowd: 'polite', rate, warmUp, seconds });
  const [figures] = await Promise.all([polite, each.during?.(neighbour, warmUp + seconds)]);
  await generator.tell('leave', { crowd: 'polite' });
  await neighbour.tell('leave', { crowd });
  return { ...figures };
}
