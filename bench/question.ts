/** What a question is: what every server has to do, and which figures are measured. */
import type { Contestant } from './contestants.ts';
import type { Generator } from './generator-process.ts';
import type { Server } from './server.ts';

/** How much effort a measurement makes. */
export interface Effort {
  readonly quick: boolean;
  /** Seconds before and during each measurement. */
  readonly warmUp: number;
  readonly seconds: number;
}

/** What a measurement works with. */
export interface Scene {
  readonly server: Server;
  /** All generators (one for each core that is left), and the first of them. */
  readonly generators: readonly Generator[];
  readonly generator: Generator;
  /** Another one, for clients whose speed is not measured. */
  readonly neighbour: Generator;
  readonly effort: Effort;
  /** Milliseconds that the server took from its start to its first echo. */
  readonly startUp: number;
  /** How many clients the server has at a time, at most. */
  readonly clients: number;
}

/** Figures by name. One that is named `measure.part` is a part of a measure: the report names the largest. */
export type Figures = Readonly<Record<string, number>>;

/** One figure of a question: what it is, and whether more or less is better. */
export interface Measure {
  readonly name: string;
  readonly words: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** The most that any server could reach. */
  readonly ideal?: number;
}

/** One situation in which all contestants are measured. */
export interface Cell {
  readonly id: string;
  readonly words: string;
  /** Arguments that a model is started with. */
  readonly args?: readonly string[];
  /** Whether it is started anew in each round. */
  readonly isStartedAnew?: boolean;
  /** How many descriptors a process needs for it. */
  readonly connections: number;
  /** Estimate, for the progress line. */
  readonly seconds: number;
  measure(scene: Scene): Promise<Figures>;
}

export interface Question {
  readonly id: string;
  readonly title: string;
  /** What to know when reading the figures. */
  readonly note?: string;
  readonly measures: readonly Measure[];
  /** The contestant by whose figures the others' figures are divided. */
  readonly baseline: string;
  /** Whether a server serves only one measurement. */
  readonly freshServers?: boolean;
  /** The most rounds, if further rounds would not add anything. */
  maxRounds?(effort: Effort): number | undefined;
  /** Why it cannot be asked on this machine; undefined when it can. */
  obstacle?(): Promise<string | undefined>;
  /** Why a contestant is not measured there; undefined when it is. */
  refusal(contestant: Contestant, cell: Cell): string | undefined;
  cells(effort: Effort): Cell[];
}

/** Bytes of a short line. */
export const SHORT = 64;
/** Bytes of a line in bulk: no divisor of any buffer's size, so that reads end in the middle of lines. */
export const LONG = 1009;

/** Why a contestant cannot have all clients of a cell at once; undefined when it can. */
export function crowding({ clients }: Contestant, { connections }: Cell): string | undefined {
  if (connections <= clients) return undefined;
  return clients === 1 ? 'one client at a time' : `at most ${clients} clients at once`;
}

/** The measures of the closed loop; CPU time first, because a busy generator does not limit it. */
export const LOOP_MEASURES: readonly Measure[] = [
  { name: 'cpuPerLine', words: 'CPU time of the server for each line', unit: 'µs', better: 'less' },
  { name: 'linesPerSecond', words: 'echoes', unit: 'lines/s', better: 'more' },
];

/** Clients in the closed loop, spread over the generators. */
export async function throughput(
  { server, generators, effort }: Scene,
  load: {
    readonly clients: number;
    readonly window: number;
    readonly lineLength: number;
    /** Milliseconds over which the clients begin; without it, all begin at once. */
    readonly beginOver?: number;
  },
): Promise<Figures> {
  const used = generators.slice(0, load.clients);
  const share = (i: number) =>
    Math.floor(load.clients / used.length) + (i < load.clients % used.length ? 1 : 0);
  const all = await Promise.allSettled(
    used.map((generator, i) =>
      generator.tell('join', {
        crowd: 'load',
        port: server.port,
        connections: share(i),
        lineLength: load.lineLength,
        linesEach: load.window + 7,
      }),
    ),
  );
  rethrow(all);
  const { warmUp, seconds } = effort;
  const order = {
    crowd: 'load',
    window: load.window,
    warmUp,
    seconds,
    beginOver: load.beginOver ?? 0,
  };
  const pids = server.pids(); // now: some have a process for each client
  const results = await Promise.allSettled(
    used.map((each, i) => each.tell('closed', i === 0 ? { ...order, pids } : order)),
  );
  await Promise.all(used.map((each) => each.tell('leave', { crowd: 'load' })));
  const figures = rethrow(results);
  const linesPerSecond = sum(figures.map((each) => each.linesPerSecond));
  return {
    linesPerSecond,
    cpuPerLine: (sum(figures.map((each) => each.serverCores)) / linesPerSecond) * 1e6,
    megabytesPerSecond: sum(figures.map((each) => each.bytesPerSecond)) / 1e6,
    saturation: Math.max(...figures.map((each) => each.saturation)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** The values of promises that have all settled, or the first failure. */
export function rethrow<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
