/** A contestant's server: starts it, measures its memory and CPU time, stops it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { escapeShortened } from '../client/escape.ts';
import { isListening, processesOf } from '../conformance/processes.ts';
import { freshAddress } from './generator/source.ts';
import { WrongServer } from './generator-process.ts';
import { endGroup, start } from './processes.ts';

/** Milliseconds within which it must listen, and within which it must answer. */
const PATIENCE = 30_000;

/** The memory, processes and threads of a server. */
export interface Weight {
  /**
   * Bytes of anonymous and shared memory of all its processes. The pages of programs and libraries are
   * not in it: how many of a server's own they are depends on who else runs them, the harness as well.
   */
  readonly bytes: number;
  readonly processes: number;
  readonly threads: number;
}

/** A running server. */
export class Server {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts a server and waits until it listens.
   *
   * @param picksPort - whether it picks a port and says which; otherwise it is told one
   * @throws Error when it does not listen
   */
  static async start(command: readonly string[], picksPort = true): Promise<Server> {
    const port = picksPort ? undefined : await freePort();
    const words = command.map((word) => word.replaceAll('{port}', `${port}`));
    const child = start(words, ['ignore', 'pipe', 'pipe'], picksPort ? {} : { PORT: `${port}` });
    try {
      return new Server(child, await portOf(child, port));
    } catch (error) {
      endGroup(child.pid);
      throw error;
    }
  }

  /**
   * Sends a line as a client of its own, and resolves when it is back and the connection closed.
   *
   * @throws WrongServer when something else comes back
   */
  async echo(): Promise<void> {
    const line = 'the first line\r\n';
    const { port } = this;
    // At an address of its own there is a port, even where the ports of others are taken.
    const localAddress = freshAddress();
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    let came = '';
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(PATIENCE, () => socket.destroy(new Error('it does not answer')));
      socket.once('error', reject);
      socket.once('close', () => resolve());
      socket.setEncoding('latin1').on('data', (text) => {
        came += text;
        if (came.length >= line.length) socket.end();
      });
      socket.write(line);
    });
    if (came !== line) {
      const [right, wrong] = [line, came].map((text) =>
        escapeShortened(Buffer.from(text, 'latin1'), 40),
      );
      throw new WrongServer(`the first echo should be "${right}", came "${wrong}"`);
    }
  }

  /** All its processes. */
  pids(): number[] {
    return processesOf(this.#child.pid ?? -1).map(({ pid }) => pid);
  }

  /** @throws Error when it is not there, or the system does not tell */
  weight(): Weight {
    const pids = this.pids();
    if (pids.length === 0) throw new Error('the server has ended');
    const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0);
    return {
      bytes: sum((pid) => ownMemory(pid)),
      processes: pids.length,
      threads: sum((pid) => number(`/proc/${pid}/status`, /^Threads:\s+(\d+)/m)),
    };
  }

  /** Ends it at once, and everything that it has started. */
  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    endGroup(this.#child.pid);
    if (exitCode === null && signalCode === null) await ended;
  }
}

/** Bytes that are a process's own, its part of what it shares with others of its kind included. */
function ownMemory(pid: number): number {
  const file = `/proc/${pid}/smaps_rollup`;
  return 1024 * (number(file, /^Pss_Anon:\s+(\d+)/m) + number(file, /^Pss_Shmem:\s+(\d+)/m));
}

/** @throws Error when there is none */
function number(file: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(file, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${file} does not say ${pattern}`);
  return Number(found);
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param told - the port that it was told, if it was: then what it says does not matter */
function portOf(child: ChildProcess, told: number | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: string) => {
      said = (said + text).slice(-4096);
      const found = told ? undefined : /listening on 127\.0\.0\.1:(\d+)/.exec(said);
      if (found) resolve(Number(found[1]));
    };
    const look = async () => {
      while (told && child.exitCode === null && child.signalCode === null) {
        if (await isListening(told)) return resolve(told);
        await sleep(20);
      }
    };
    look().catch(reject);
    child.stdout?.setEncoding('utf8').on('data', hear);
    child.stderr?.setEncoding('utf8').on('data', hear);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`it ended before it listened: ${said.trim()}`)));
    setTimeout(() => reject(new Error(`it does not listen: ${said.trim()}`)), PATIENCE).unref();
  });
}
