/** Starts processes on chosen cores, and ends them all in the end. */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The cores that this process may use, by number. */
export const cores: readonly number[] = allowedCores();

/** Whether processes can be pinned to cores: on Linux, with taskset(1). */
const canPin = spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;

function allowedCores(): number[] {
  if (process.platform !== 'linux')
    return Array.from({ length: availableParallelism() }, (_, i) => i);
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Which processes run on which cores, so that server and load do not compete; undefined: on any core. */
export interface Placement {
  /** A server that is one thread at work. */
  readonly server: readonly number[] | undefined;
  /** One generator on each. */
  readonly generators: readonly (readonly number[] | undefined)[];
  /** Clients whose speed is not measured. */
  readonly neighbours: readonly number[] | undefined;
  readonly inWords: string;
}

/** One core for the server; the others, two at most, for the generators. */
export const placement: Placement = placeOn(cores);

function placeOn([first, second, third, fourth]: readonly number[]): Placement {
  if (!canPin || first === undefined || second === undefined) {
    const why = canPin ? 'there is one core' : 'there is no taskset';
    const words = `Nothing is pinned to a core: ${why}. Server and generator compete.`;
    return { server: undefined, generators: [undefined], neighbours: undefined, inWords: words };
  }
  if (third === undefined || fourth === undefined) {
    return {
      server: [first],
      generators: [[second]],
      neighbours: third === undefined ? [second] : [third],
      inWords: `Servers that are one thread at work are pinned to one core, the generator to another, which bad neighbours and silent clients ${third === undefined ? 'share' : 'leave for a third'}. Servers that use several cores share those with the generator.`,
    };
  }
  return {
    server: [first],
    generators: [[second], [third]],
    neighbours: [fourth],
    inWords:
      'Servers that are one thread at work are pinned to one core, two generators to one each, and bad neighbours to a fourth. Servers that use several cores share those with the generators.',
  };
}

/** A command, confined to some cores. */
export function onCores(
  where: readonly number[] | undefined,
  command: readonly string[],
): string[] {
  return where && canPin ? ['taskset', '-c', where.join(','), ...command] : [...command];
}

/** Process groups that were started here. */
const groups = new Set<number>();
process.once('exit', () => {
  for (const group of groups) endGroup(group);
});

/** Starts a command in a process group of its own, which is ended when this process exits, if not before. */
export function start(
  [program = '', ...args]: readonly string[],
  stdio: StdioOptions,
  environment: NodeJS.ProcessEnv = {},
): ChildProcess {
  const cwd = new URL('..', import.meta.url);
  const env = { ...process.env, ...environment };
  const child = spawn(program, args, { cwd, env, detached: true, stdio });
  if (child.pid !== undefined) groups.add(child.pid);
  return child;
}

/** Ends a process group at once, if it still runs. */
export function endGroup(group: number | undefined): void {
  if (group === undefined) return;
  groups.delete(group);
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
