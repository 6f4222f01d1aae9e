/** Counts the system calls of processes that run already, with strace(1). */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup, start } from './processes.ts';

/** Milliseconds within which strace must have attached, or detached: there may be hundreds of threads. */
const PATIENCE = 20_000;

/** How many calls were made, by their names. */
export type Counts = ReadonlyMap<string, number>;

/** The count of some processes, with all their threads and whatever they start. It slows them down. */
export class SystemCallCount {
  readonly #strace: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = '';

  private constructor(pids: readonly number[]) {
    const which = pids.flatMap((pid) => ['-p', `${pid}`]);
    this.#strace = start(['strace', '-f', '-c', ...which], ['ignore', 'ignore', 'pipe'], {
      LC_ALL: 'C',
    });
    this.#strace.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#said += text;
    });
    this.#ended = once(this.#strace, 'close');
    this.#ended.catch(() => {}); // that it could not be started is told by `attach`
  }

  /**
   * Begins to count. What a process is waiting in at that moment counts when it returns.
   *
   * @throws Error when strace is not there, or may not attach, in one line
   */
  static async attach(pids: readonly number[]): Promise<SystemCallCount> {
    const count = new SystemCallCount(pids);
    try {
      await within(count.#attached(pids), 'attach');
    } catch (error) {
      endGroup(count.#strace.pid);
      throw error;
    }
    return count;
  }

  /** Stops counting. The processes run on. @throws Error when strace has ended before */
  async detach(): Promise<Counts> {
    const { exitCode, signalCode } = this.#strace;
    if (exitCode !== null || signalCode !== null) throw new Error('strace has ended too early');
    this.#strace.kill('SIGINT');
    try {
      await within(this.#ended, 'detach');
    } finally {
      endGroup(this.#strace.pid);
    }
    return countsIn(this.#said);
  }

  /** Resolves when strace has said of each process that it has attached to all its threads. */
  #attached(pids: readonly number[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const { stderr } = this.#strace;
      stderr?.on('data', () => {
        const all = new Set([...this.#said.matchAll(/Process (\d+) attached/g)].map(([, n]) => n));
        if (pids.every((pid) => all.has(`${pid}`))) resolve();
        const refusal = /^strace: (.*ptrace.*)\n/m.exec(this.#said)?.[1];
        if (refusal) reject(new Error(refusal));
      });
      const why = (error: NodeJS.ErrnoException) =>
        new Error(error.code === 'ENOENT' ? 'there is no strace' : error.message);
      this.#strace.once('error', (error) => reject(why(error)));
      this.#strace.once('close', () =>
        reject(new Error(this.#said.split('\n', 1)[0] || 'strace has ended')),
      );
    });
  }
}

/** What the table of strace -c says. */
function countsIn(said: string): Counts {
  // % time, seconds, microseconds for each call, calls, errors if there were some, name
  const rows = said.matchAll(/^ *\S+ +\S+ +\S+ +(\d+)(?: +\d+)? +(\w+)$/gm);
  const counts = [...rows].map(([, calls, name = '']) => [name, Number(calls)] as const);
  return new Map(counts.filter(([name]) => name !== 'total'));
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(PATIENCE, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new Error(`strace did not ${what} within ${PATIENCE / 1000} s`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

/** Why system calls cannot be counted here; undefined when they can. Attaches to a process, to find out. */
export async function whyNoCount(): Promise<string | undefined> {
  const waiting = start([process.execPath, '-e', 'setTimeout(() => {}, 60_000)'], 'ignore');
  try {
    await (await SystemCallCount.attach([waiting.pid ?? -1])).detach();
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return message.includes('not permitted') ? `strace may not attach${scope()}` : message;
  } finally {
    endGroup(waiting.pid);
  }
}

/** In parentheses: the setting that most often forbids it (ptrace(2)). Empty when it does not. */
function scope(): string {
  try {
    const scope = readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8').trim();
    return scope === '0' ? '' : ` (kernel.yama.ptrace_scope is ${scope})`;
  } catch {
    return ''; // a kernel without Yama
  }
}
