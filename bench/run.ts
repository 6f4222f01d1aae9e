/** Asks the questions of all contestants, in rounds in which they take turns. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant, LeftOut } from './contestants.ts';
import { Generator, WrongServer } from './generator-process.ts';
import { onCores, placement } from './processes.ts';
import type { Progress } from './progress.ts';
import type { Cell, Effort, Question } from './question.ts';
import type { QuestionResults, Round, Wrong } from './results.ts';
import { Server } from './server.ts';

/** Milliseconds between two measurements, in which a server closes the last clients. */
const PAUSE_MS = 30;

/** A question, and which contestants are measured in which of its cells. */
export interface Plan {
  readonly question: Question;
  readonly cells: readonly { readonly cell: Cell; readonly contestants: readonly Contestant[] }[];
  readonly rounds: number;
}

/** Makes the plan of a run, with a list of what is left out. */
export function plan(
  questions: readonly Question[],
  available: readonly Contestant[],
  wanted: readonly string[],
  effort: Effort,
  rounds: number,
  descriptors: number,
): { readonly plans: Plan[]; readonly leftOut: LeftOut[] } {
  const leftOut: LeftOut[] = [];
  const plans = questions.map((question) => {
    const takesPart = ({ id }: Contestant) => wanted.includes(id) || id === question.baseline;
    const refusals: Refusals = new Map();
    const cells = question.cells(effort).flatMap((cell) => {
      if (cell.connections + 100 > descriptors) {
        const why = `a process may open ${descriptors} files (ulimit -n), too few for ${cell.connections} connections`;
        leftOut.push({ what: `${question.title} ${cell.words}`, why });
        return [];
      }
      const contestants = available.filter((each) => {
        const why = takesPart(each) ? question.refusal(each, cell) : undefined;
        if (why !== undefined) note(refusals, why, each, cell);
        return takesPart(each) && why === undefined;
      });
      return [{ cell, contestants }];
    });
    for (const [why, { ids, cells }] of refusals) {
      const where = `“${question.title}” (${cells.join('; ')})`;
      leftOut.push({ what: `${[...ids].join(', ')} in ${where}`, why });
    }
    const most = question.maxRounds?.(effort) ?? rounds;
    return { question, cells, rounds: Math.min(rounds, most) };
  });
  return { plans, leftOut };
}

type Refusals = Map<string, { readonly ids: Set<string>; readonly cells: string[] }>;

function note(refusals: Refusals, why: string, { id }: Contestant, { words }: Cell): void {
  const noted = refusals.get(why) ?? { ids: new Set(), cells: [] };
  refusals.set(why, noted);
  noted.ids.add(id);
  if (!noted.cells.includes(words)) noted.cells.push(words);
}

/** Seconds that a measurement is estimated to take. */
export function estimate({ question }: Plan, cell: Cell, effort: Effort): number {
  const start = question.freshServers ? 0.5 : effort.warmUp + effort.seconds + 0.1;
  return start + cell.seconds;
}

/** The generators and servers of a run. A fresh stage has no traces of earlier questions. */
export class Stage {
  readonly generators = placement.generators.map((cores) => new Generator(cores));
  readonly neighbour = new Generator(placement.neighbours);
  readonly servers = new Servers();

  /** Ends all clients after a failure, so that none is left for the next measurement. */
  async dismiss(): Promise<void> {
    const everyone = [...this.generators, this.neighbour];
    await Promise.allSettled(everyone.map((each) => each.tell('dismiss', {})));
  }

  async clear(): Promise<void> {
    for (const generator of [...this.generators, this.neighbour]) generator.end();
    await this.servers.stopAll();
  }
}

/** Answers one question. Servers that are wrong are added to `wrong`, those that could not be measured to `failed`. */
export async function answer(
  plan: Plan,
  stage: Stage,
  effort: Effort,
  progress: Progress,
  wrong: Wrong[],
  failed: Wrong[],
): Promise<QuestionResults> {
  const { question } = plan;
  const { generators, neighbour } = stage;
  const servers = question.freshServers ? new Servers() : stage.servers;
  const asked = plan.cells.map((each) => ({
    ...each,
    rounds: [] as Round[],
    disqualified: new Set<Contestant>(),
  }));
  if (question.freshServers) {
    // tsx translates a program when it runs for the first time. That should not count as start-up time.
    await servers.prepare([...new Set(asked.flatMap(({ contestants }) => contestants))], {});
    await servers.stopAll();
  }
  // All cells in each round, because figures of two cells are compared, too, and must not be minutes apart.
  for (let round = 0; round < plan.rounds; round++) {
    for (const { cell, contestants, rounds, disqualified } of asked) {
      const args = cell.args ?? [];
      if (!question.freshServers) await servers.prepare(contestants, cell);
      for (const contestant of contestants) {
        if (disqualified.has(contestant)) continue;
        const of = `round ${round + 1} of ${plan.rounds}`;
        progress.step(
          `${question.title} ${cell.words}, ${of}: ${contestant.id}`,
          estimate(plan, cell, effort),
        );
        try {
          const { server, startUp } = await servers.get(contestant, args);
          const { clients } = contestant;
          const [generator = neighbour] = generators;
          const scene = { server, generators, generator, neighbour, effort, startUp, clients };
          rounds.push({ contestant: contestant.id, round, figures: await cell.measure(scene) });
        } catch (error) {
          disqualified.add(contestant);
          const [what = ''] = (error as Error).message.split('\n');
          const list = error instanceof WrongServer ? wrong : failed;
          list.push({ contestant: contestant.id, cell: cell.id, what });
          await stage.dismiss();
          await servers.stop(contestant);
        }
        if (question.freshServers) await servers.stop(contestant);
        await sleep(PAUSE_MS);
      }
    }
  }
  const cells = asked.map(({ cell, rounds, disqualified }) => {
    const wrongIds = [...disqualified].map((each) => each.id);
    const right = rounds.filter(({ contestant }) => !wrongIds.includes(contestant));
    return { id: cell.id, words: cell.words, rounds: right };
  });
  const { id, title, note, measures, baseline } = question;
  return { id, title, ...(note && { note }), measures, baseline, cells };
}

interface Running {
  readonly server: Server;
  /** Milliseconds from its start to its first echo. */
  readonly startUp: number;
}

/** The contestants' servers: all that take turns are running, and only one of them has clients. */
class Servers {
  readonly #running = new Map<Contestant, Running>();
  #args: readonly string[] = [];

  /** Starts the servers of the next cell, unless they run already. */
  async prepare(
    contestants: readonly Contestant[],
    { args = [], isStartedAnew = false }: Pick<Cell, 'args' | 'isStartedAnew'>,
  ): Promise<void> {
    if (isStartedAnew || args.join(' ') !== this.#args.join(' ')) await this.stopAll();
    this.#args = args;
    // One that does not start is tried again, and told, at its turn.
    const starting = contestants.map((contestant) => () => this.get(contestant, args));
    if (!isStartedAnew) await Promise.allSettled(starting.map((start) => start()));
    // What they find out must not depend on each other: one after the other.
    else for (const start of starting) await start().catch(() => undefined);
  }

  async get(contestant: Contestant, args: readonly string[]): Promise<Running> {
    const found = this.#running.get(contestant);
    if (found) return found;
    const where = contestant.oneThread ? placement.server : undefined;
    const startedAt = performance.now();
    const server = await Server.start(
      onCores(where, [...contestant.command, ...args]),
      contestant.kind !== 'command',
    );
    try {
      await server.echo();
    } catch (error) {
      await server.stop();
      throw error;
    }
    const running = { server, startUp: performance.now() - startedAt };
    this.#running.set(contestant, running);
    return running;
  }

  async stop(contestant: Contestant): Promise<void> {
    const found = this.#running.get(contestant);
    this.#running.delete(contestant);
    await found?.server.stop();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((each) => this.stop(each)));
  }
}
