/** A server that is started for the occasion, in a process group of its own, and ended with it. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Manner, nodeCommand } from './node-command.ts';
import { isListening } from './processes.ts';

/** What a server has said is kept up to so many characters. */
const MEMORY = 256 * 1024;

/** The process groups that were started and not ended. */
const running = new Set<number>();
const endAll = () => {
  for (const group of running) endGroup(group, 'SIGKILL');
};
process.on('exit', endAll);
// Where nobody else listens for them, these end a process without its 'exit'.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    if (process.listenerCount(signal) > 0) return;
    endAll();
    process.kill(process.pid, signal);
  });
}

/** What makes its life harder. */
export interface Circumstances extends Manner {
  /** How many descriptors it may have open. */
  readonly descriptors?: number;
}

export class ServerProcess {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #said: () => string;

  private constructor(child: ChildProcess, port: number, said: () => string) {
    this.#child = child;
    this.port = port;
    this.pid = child.pid as number;
    this.#said = said;
    this.ended = new Promise((resolve) => {
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
      return found ? Number(found[1]) : undefined;
    });
  }

  /**
   * Starts any command and waits until something listens on a port.
   *
   * @param command - the program and its arguments; the port is in its environment, too, as `PORT`
   * @param timeout - how long it may take to listen, in milliseconds
   * @throws Error with what it said, when it cannot be started, exits instead, or does not listen
   */
  static startCommand(
    command: readonly string[],
    port: number,
    timeout: number,
  ): Promise<ServerProcess> {
    const env = { ...process.env, PORT: String(port) };
    const isReady = async () => ((await isListening(port)) ? port : undefined);
    const [name] = command as [string];
    return ServerProcess.#launch(name, `port ${port}`, command, { env }, timeout, isReady);
  }

  static async #launch(
    name: string,
    where: string,
    command: readonly string[],
    circumstances: SpawnOptions,
    timeout: number,
    portOf: (said: string) => number | undefined | Promise<number | undefined>,
  ): Promise<ServerProcess> {
    const child = spawn(command[0] as string, command.slice(1), {
      ...circumstances,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid) running.add(child.pid);
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
    child.once('close', () => {
      const { signalCode: signal, exitCode: code } = child;
      failure ??= new Error(`${name} ended with ${signal ?? code} before it listened: ${said}`);
    });
    const deadline = performance.now() + timeout;
    for (;;) {
      const port = await portOf(said);
      if (failure) break;
      if (port !== undefined && child.pid) return new ServerProcess(child, port, () => said);
      if (performance.now() > deadline) {
        const seconds = timeout / 1000;
        failure = new Error(
          `${name} does not listen on ${where} after ${seconds} s${said ? `, and said:\n${said}` : ''}`,
        );
      }
      await sleep(10);
    }
    if (child.pid) endGroup(child.pid, 'SIGKILL');
    if (child.pid) running.delete(child.pid);
    throw failure;
  }

  /** The last that it said on standard output and standard error. */
  get said(): string {
    return this.#said();
  }

  /** Resolves with its exit code, or the signal's name, when it has ended. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal to the server and everything that it has started. */
  kill(signal: NodeJS.Signals): void {
    endGroup(this.pid, signal);
  }

  /** Ends it in order, or after 3 s without mercy. @returns its exit code, or the signal's name */
  async stop(): Promise<number | NodeJS.Signals | null> {
    if (this.isRunning) {
      this.#child.kill('SIGTERM');
      await Promise.race([this.ended, sleep(3000, undefined, { ref: false })]);
    }
    this.kill('SIGKILL'); // it, if it is still there, and children that it has left behind
    running.delete(this.pid);
    return this.ended;
  }
}

function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is empty already.
  }
}
