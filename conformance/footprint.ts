/** What a server costs this machine: the processes that own its port, looked at from outside (proc(5)). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Failure, type Scene, type Target, Unsupported } from './check.ts';
import { allProcesses, type Holding, holdings, listenersOn, stillHolds } from './processes.ts';

/** What a server has at one moment. */
export interface Look {
  /** CPU time since it began, in milliseconds (in steps of 10, mostly). */
  readonly cpu: number;
  /** Whether one of its threads runs, or would if there were a core for it. */
  readonly isRunnable: boolean;
  readonly descriptors: number;
  readonly threads: number;
  /** Processes, also those that have ended and that nobody has waited for (zombies). */
  readonly processes: number;
  /** Bytes of memory that belong to no file, resident or swapped out. */
  readonly memory: number;
}

/** One clock tick, in milliseconds: 100 a second on every Linux of today. */
const TICK = 10;

export class Footprint {
  readonly #owners: readonly number[];
  readonly #group: number | undefined;
  /** Processes that are not the server's, and need not be asked again: nobody joins a server from outside. */
  readonly #others = new Set<number>();

  private constructor(owners: readonly number[], group: number | undefined) {
    this.#owners = owners;
    this.#group = group;
  }

  /**
   * Finds the processes whose socket listens on the server's port: a command may be a wrapper, and what a
   * wrapper costs tells nothing.
   *
   * @throws Unsupported where the system does not tell, or the server runs elsewhere
   */
  static of(target: Target): Footprint {
    const { host, group } = target;
    if (!existsSync('/proc/self/stat'))
      throw new Unsupported('this system does not tell (no /proc)');
    if (!/^(127\.|::1$|localhost$)/.test(host)) {
      throw new Unsupported('the server does not run on this machine');
    }
    const { held, areOfItsGroup } = ownersOf(target);
    if (held.length === 0) {
      throw new Unsupported('the process that listens on the port cannot be looked at from here');
    }
    const pids = new Set(held.map(({ pid }) => pid));
    return new Footprint([...pids], areOfItsGroup ? group : undefined);
  }

  /** @throws Failure when the server has ended */
  look(): Look {
    const all = allProcesses(this.#others);
    const mine = new Set<number>();
    for (const { pid, group } of all) {
      if (this.#owners.includes(pid) || group === this.#group) mine.add(pid);
    }
    for (let before = -1; mine.size > before; ) {
      before = mine.size;
      for (const { pid, parent } of all) if (mine.has(parent)) mine.add(pid);
    }
    const own = all.filter(({ pid }) => mine.has(pid));
    for (const { pid } of all) if (!mine.has(pid)) this.#others.add(pid);
    const alive = own.filter(({ state }) => state !== 'Z' && state !== 'X');
    if (alive.length === 0) throw new Failure('the server has ended');
    const status = alive.map(({ pid }) => read(`/proc/${pid}/status`));
    const sum = (name: string) => status.reduce((total, text) => total + numberIn(text, name), 0);
    return {
      cpu: own.reduce((total, { ticks }) => total + ticks, 0) * TICK,
      isRunnable: alive.some(({ pid }) => isAnyRunning(pid)),
      descriptors: alive.reduce((total, { pid }) => total + list(`/proc/${pid}/fd`).length, 0),
      threads: sum('Threads'),
      processes: own.length,
      memory: 1024 * (sum('RssAnon') + sum('RssShmem') + sum('VmSwap')),
    };
  }

  /** The processes that listen, where they are those that were started here; else none. */
  get startedHere(): readonly number[] {
    return this.#group === undefined ? [] : this.#owners;
  }

  /** How many descriptors each of its processes may have; undefined: not told. */
  get descriptorLimit(): number | undefined {
    const limits = this.#owners.map((pid) => descriptorLimitOf(pid));
    const known = limits.filter((limit) => limit !== undefined);
    return known.length > 0 ? Math.min(...known) : undefined;
  }
}

/**
 * Waits for a server to close the descriptors of clients that have left.
 *
 * @param before - how many it had before they came
 * @param most - fewer than these are the server's own business
 * @returns how many are left, or 0 when they are its own business
 */
export async function descriptorsLeft(
  scene: Scene,
  footprint: Footprint,
  before: number,
  most: number,
): Promise<number> {
  const deadline = performance.now() + scene.patience;
  for (;;) {
    await scene.quiet();
    const left = footprint.look().descriptors - before;
    if (left < most) return 0;
    if (performance.now() >= deadline) return left;
  }
}

/** How many descriptors a process may have open (ulimit -n); undefined where the system does not tell. */
export function descriptorLimitOf(pid: number | 'self'): number | undefined {
  const found = /^Max open files\s+(\d+)/m.exec(read(`/proc/${pid}/limits`));
  return found ? Number(found[1]) : undefined;
}

interface Owners {
  readonly held: readonly Holding[];
  readonly areOfItsGroup: boolean;
}

/** Who was found to listen: to ask the kernel for all sockets again and again is dear. */
const found = new WeakMap<Target, Owners>();

/** The processes that listen on a server's port: those of its own group, if there are any. */
function ownersOf(target: Target): Owners {
  const known = found.get(target);
  if (known?.held.every(stillHolds)) return known;
  const inodes = new Set(listenersOn(target.port)?.map(({ inode }) => inode));
  const all = allProcesses().filter(({ pid }) => pid !== process.pid);
  const group = all.filter((one) => one.group === target.group);
  const ours = holdings(inodes, group);
  const areOfItsGroup = ours.length > 0;
  const owners = { held: areOfItsGroup ? ours : holdings(inodes, all), areOfItsGroup };
  if (owners.held.length > 0) found.set(target, owners);
  return owners;
}

function isAnyRunning(pid: number): boolean {
  return list(`/proc/${pid}/task`).some((thread) => {
    const text = read(`/proc/${pid}/task/${thread}/stat`);
    return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3) === 'R';
  });
}

function numberIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}

/** A file's text; empty when it, or its process, is gone, or it may not be read. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
