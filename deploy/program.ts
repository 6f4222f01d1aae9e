/** A program of the deployment, in a process group of its own: Ctrl-C in a terminal must not end all at once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MARK } from '../conformance/processes.ts';
import { watchOver } from '../conformance/watchdog.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Milliseconds within which a program must be ready. */
const READY = 20_000;
/** Milliseconds that a program has to end in order; the protocol gives a server 1.5 s. */
const IN_ORDER = 3000;

/** The groups that run, and what calls their watchdogs off. */
const running = new Map<number, () => void>();
process.once('exit', () => {
  for (const pid of running.keys()) kill(-pid, 'SIGKILL');
});

export class Program {
  readonly pid: number;
  /** Resolves with the exit code, or the signal's name, when it has ended and all that it said has been heard. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(signal ?? code ?? 0));
    });
  }

  /**
   * Starts a program.
   *
   * @param environment - added to this process's own
   * @param isReady - is asked with all that it said so far, until the answer is true
   * @param onLine - gets each line of its output
   * @throws Error in one line, when it cannot be started, ends before it is ready, or is not ready after 20 s
   */
  static async start(
    [command = '', ...args]: readonly string[],
    environment: NodeJS.ProcessEnv,
    isReady: (said: string) => boolean | Promise<boolean>,
    onLine: (line: string) => void = () => undefined,
  ): Promise<Program> {
    const mark = `${process.pid}.${command}.${Date.now()}`;
    const child = spawn(command, args, {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment, [MARK]: mark },
    });
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = new Error(`cannot start ${command}: ${(error as NodeJS.ErrnoException).code}`);
    });
    const lines: string[] = [];
    let ready = false;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (!ready) lines.push(line);
        onLine(line);
      });
    }
    const program = new Program(child);
    if (child.pid) running.set(child.pid, watchOver(child.pid, mark));
    program.ended.then((how) => {
      failure ??= new Error(`${command} ended with ${how}: ${lines.join('; ').slice(-500)}`);
      running.get(program.pid)?.();
      running.delete(program.pid);
    });
    const deadline = performance.now() + READY;
    while (!failure && performance.now() < deadline) {
      ready = await isReady(lines.join('\n'));
      if (ready) return program;
      await sleep(10);
    }
    program.kill('SIGKILL');
    throw failure ?? new Error(`${command} is not ready after ${READY / 1000} s: ${lines.at(-1)}`);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal to the program alone. */
  signal(signal: NodeJS.Signals): void {
    kill(this.pid, signal);
  }

  /** Sends a signal to the program and everything that it has started. */
  kill(signal: NodeJS.Signals): void {
    if (this.pid) kill(-this.pid, signal);
  }

  /** Ends it in order (SIGTERM), or after 3 s with SIGKILL. @returns its exit code, or the signal's name */
  async stop(): Promise<number | NodeJS.Signals> {
    if (this.isRunning) this.signal('SIGTERM');
    await Promise.race([this.ended, sleep(IN_ORDER, undefined, { ref: false })]);
    this.kill('SIGKILL');
    return this.ended;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
