/** A server that is started for the occasion, in a process group of its own, and ended with it. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { tailOf } from './last-words.ts';
import { type Manner, nodeCommand } from './node-command.ts';
import {
  type Holding,
  isListening,
  MARK,
  noteMark,
  ownership,
  processesOf,
  stillHolds,
} from './processes.ts';
import { watchOver } from './watchdog.ts';

/** What a server has said is kept up to so many characters. */
const MEMORY = 64 * 1024;

/** How long to wait for 127.0.0.1 when a server listens on another address, in milliseconds. */
const OTHER_ADDRESS = 500;

/** Milliseconds that a daemon may take to listen, when its launcher has ended with 0. */
const DAEMON = 1500;

/** How long nobody may listen before a server counts as gone, in milliseconds: some are started anew. */
const NOBODY_LISTENS = 1000;

/** The process groups that were started and not ended, and how to call their watchdogs off. */
const running = new Map<number, () => void>();
const endThem = () => {
  for (const group of running.keys()) endAll(group, 'SIGKILL');
};
process.on('exit', endThem);
// Where nobody else listens for them, these end a process without its 'exit'.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    if (process.listenerCount(signal) > 0) return;
    endThem();
    process.kill(process.pid, signal);
  });
}
let started = 0;

/** Somebody else's server listens where this one should. */
export class PortTaken extends Error {}

/** What makes its life harder. */
export interface Circumstances extends Manner {
  /** How many descriptors it may have open. */
  readonly descriptors?: number;
}

/** Where a server listens. */
interface Place {
  readonly port: number;
  /** Addresses to try, in this order; the default is 127.0.0.1. */
  readonly hosts?: readonly string[];
  readonly holdings?: readonly Holding[];
}

export class ServerProcess {
  /** Where to reach it. */
  readonly host: string;
  /** Where else it may be reached, when it is not there. */
  readonly otherHosts: readonly string[];
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #said: () => string;
  #holdings: readonly Holding[];

  private constructor(child: ChildProcess, place: Place, said: () => string) {
    const { port, hosts = ['127.0.0.1'], holdings = [] } = place;
    this.#child = child;
    [this.host = '127.0.0.1', ...this.otherHosts] = hosts;
    this.port = port;
    this.#holdings = holdings;
    this.pid = child.pid as number;
    this.#said = said;
    this.ended = new Promise((resolve) => {
      if (!this.#childRuns) resolve(child.signalCode ?? child.exitCode);
      // 'close' follows 'exit' when everything that it said has been heard: from its children, too, which
      // may live on and say nothing.
      child.once('close', (code, signal) => resolve(signal ?? code));
      child.once('exit', (code, signal) => setTimeout(resolve, 500, signal ?? code).unref());
    });
  }

  /**
   * Starts a TypeScript program and waits until it says where it listens.
   *
   * @param program - its path from the project's root
   * @throws Error with what it said, when it exits instead, or says nothing for 20 s
   */
  static async start(
    program: string,
    args: readonly string[] = [],
    { descriptors, ...manner }: Circumstances = {},
  ): Promise<ServerProcess> {
    const command = [...nodeCommand(program, manner), '--port', '0', ...args];
    if (descriptors) command.unshift('sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`);
    const cwd = new URL('..', import.meta.url);
    return ServerProcess.#launch(program, 'any port', command, { cwd }, 20_000, (said) => {
      const found = /listening on 127\.0\.0\.1:(\d+)/.exec(said);
      return found ? { port: Number(found[1]) } : undefined;
    });
  }

  /**
   * Starts any command and waits until it listens on a port: a process of its, whichever that is. The
   * command itself may have ended by then (`./server & exit`, daemons).
   *
   * @param command - the program and its arguments; the port is in its environment, too, as `PORT`
   * @param timeout - how long it may take to listen, in milliseconds
   * @param signal - gives up waiting
   * @throws PortTaken when another server listens there
   * @throws Error with what it said, when it cannot be started, exits instead, or does not listen
   */
  static startCommand(
    command: readonly string[],
    port: number,
    timeout: number,
    signal?: AbortSignal,
  ): Promise<ServerProcess> {
    const env = { ...process.env, PORT: String(port) };
    let since: number | undefined;
    const isReady = async (_said: string, group: number): Promise<Place | undefined> => {
      const found = ownership(port, group);
      if (!found)
        return (await isListening(port)) ? { port, hosts: ['127.0.0.1', '::1'] } : undefined;
      const { ours, foreign, holdings } = found;
      if (foreign.length > 0) throw new PortTaken(`another server listens on port ${port}, too`);
      if (ours.length === 0) return undefined;
      since ??= performance.now();
      const hosts = hostsOf(ours.map(({ address }) => address));
      // The other address may follow in a moment.
      const isWaiting = hosts[0] !== '127.0.0.1' && performance.now() - since < OTHER_ADDRESS;
      return isWaiting ? undefined : { port, hosts, holdings };
    };
    const [name] = command as [string];
    return ServerProcess.#launch(name, `port ${port}`, command, { env, signal }, timeout, isReady);
  }

  static async #launch(
    name: string,
    where: string,
    command: readonly string[],
    { signal, ...options }: Omit<SpawnOptions, 'signal'> & { signal?: AbortSignal | undefined },
    timeout: number,
    placeOf: (said: string, group: number) => Place | undefined | Promise<Place | undefined>,
  ): Promise<ServerProcess> {
    const mark = `${process.pid}.${++started}.${Date.now()}`;
    const child = spawn(command[0] as string, command.slice(1), {
      ...options,
      env: { ...(options.env ?? process.env), [MARK]: mark },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid) {
      running.set(child.pid, watchOver(child.pid, mark));
      noteMark(child.pid, mark);
    }
    let said = '';
    let failure: Error | undefined;
    const hear = (text: string) => {
      said = (said + text).slice(-MEMORY);
    };
    child.stdout?.setEncoding('utf8').on('data', hear);
    child.stderr?.setEncoding('utf8').on('data', hear);
    child.once('error', (error) => {
      failure = error;
    });
    const ending = () => {
      const { signalCode, exitCode } = child;
      const words = tailOf(said);
      return new Error(
        `${name} ended with ${signalCode ?? exitCode} before it listened${words && `: ${words}`}`,
      );
    };
    let closedAt: number | undefined;
    child.once('close', () => {
      closedAt = performance.now();
    });
    /** Whether nothing of it is left. Who ended in order may have left a daemon that nobody can know yet. */
    const hasEnded = () =>
      closedAt !== undefined &&
      (child.exitCode !== 0 || performance.now() - closedAt > DAEMON) &&
      processesOf(child.pid as number).length === 0;
    const deadline = performance.now() + timeout;
    while (!failure) {
      try {
        const place = child.pid ? await placeOf(said, child.pid) : undefined;
        if (place && !failure) return new ServerProcess(child, place, () => said);
      } catch (error) {
        failure = error as Error;
      }
      // A launcher may have ended: what it has started lives on.
      if (hasEnded()) failure ??= ending();
      if (signal?.aborted) failure ??= new Error('the run was interrupted');
      if (performance.now() > deadline) {
        const words = tailOf(said);
        failure ??= new Error(
          `${name} does not listen on ${where} after ${timeout / 1000} s${words && `, and said:\n${words}`}`,
        );
      }
      await sleep(10);
    }
    if (child.pid) release(child.pid);
    throw failure;
  }

  /** The last that it said on standard output and standard error. */
  get said(): string {
    return this.#said();
  }

  /** Resolves with its exit code, or the signal's name, when it has ended. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  /** Whether the process that was started runs, or one that it has left behind still listens. */
  get isRunning(): boolean {
    return this.#childRuns || this.#holdings.some(stillHolds);
  }

  get #childRuns(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Why it cannot be talked to any more, in words; undefined while it can. */
  async gone(): Promise<string | undefined> {
    if (this.#holdings.some(stillHolds)) return undefined;
    if (!this.#childRuns && this.#holdings.length === 0) return this.#howItEnded();
    const deadline = performance.now() + NOBODY_LISTENS;
    for (;;) {
      const found = ownership(this.port, this.pid);
      if (!found) return this.#childRuns ? undefined : this.#howItEnded();
      if (found.ours.length > 0 && (found.holdings.length > 0 || this.#childRuns)) {
        this.#holdings = found.holdings;
        return undefined;
      }
      // A supervisor may start it again in a moment.
      const isOver = performance.now() > deadline || processesOf(this.pid).length === 0;
      if (isOver) break;
      await sleep(20);
    }
    return this.#childRuns ? `nothing listens on port ${this.port} any more` : this.#howItEnded();
  }

  async #howItEnded(): Promise<string> {
    const how = await this.ended;
    const isLauncher =
      this.#holdings.length > 0 && this.#holdings.every(({ pid }) => pid !== this.pid);
    if (isLauncher) {
      const pids = [...new Set(this.#holdings.map(({ pid }) => pid))];
      return `its ${pids.length > 1 ? 'processes' : 'process'} ${pids.join(', ')} ended`;
    }
    return typeof how === 'string' ? `it was ended by ${how}` : `it ended with exit code ${how}`;
  }

  /** Sends a signal to the server and everything that it has started. */
  kill(signal: NodeJS.Signals): void {
    endGroup(this.pid, signal);
  }

  /** Ends it in order, or after 3 s without mercy. @returns its exit code, or the signal's name */
  async stop(): Promise<number | NodeJS.Signals | null> {
    if (this.#childRuns) {
      this.#child.kill('SIGTERM');
      await Promise.race([this.ended, sleep(3000, undefined, { ref: false })]);
    } else {
      for (const pid of new Set(this.#holdings.filter(stillHolds).map((one) => one.pid)))
        send(pid, 'SIGTERM');
      const deadline = performance.now() + 3000;
      while (this.#holdings.some(stillHolds) && performance.now() < deadline) await sleep(20);
    }
    release(this.pid); // it, if it is still there, and processes that it has left behind
    return this.ended;
  }
}

/** The addresses to try, when a server listens on these. */
function hostsOf(addresses: readonly string[]): readonly string[] {
  if (addresses.some((one) => one === '127.0.0.1' || one === '0.0.0.0')) return ['127.0.0.1'];
  // It may take IPv4, too, or not (IPV6_V6ONLY).
  if (addresses.includes('::')) return ['127.0.0.1', '::1'];
  if (addresses.includes('::1')) return ['::1'];
  return addresses;
}

function release(group: number): void {
  endAll(group, 'SIGKILL');
  running.get(group)?.();
  running.delete(group);
}

/** Sends a signal to a group, and to the processes that have left it. */
function endAll(group: number, signal: NodeJS.Signals): void {
  endGroup(group, signal);
  for (const { pid } of processesOf(group)) send(pid, signal);
}

function endGroup(group: number, signal: NodeJS.Signals): void {
  send(-group, signal);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
