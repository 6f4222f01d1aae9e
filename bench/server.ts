/** A contestant's server: started, asked what it weighs, stopped. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { processesOf } from '../conformance/processes.ts';
import { endGroup, start } from './processes.ts';

/** Milliseconds until it must listen. */
const PATIENCE = 30_000;

export interface Weight {
  /** Bytes of memory of all its processes; a page that several share counts once. */
  readonly bytes: number;
  readonly processes: number;
  readonly threads: number;
}

export class Server {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts a server and waits for the line that says where it listens. @throws Error when none comes */
  static async start(command: readonly string[]): Promise<Server> {
    const child = start(command, ['ignore', 'pipe', 'pipe']);
    try {
      return new Server(child, await portOf(child));
    } catch (error) {
      endGroup(child.pid);
      throw error;
    }
  }

  /** Resolves when a line has come back. */
  async echo(): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port: this.port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('data', () => resolve());
      socket.once('close', () => reject(new Error('the server closed')));
      socket.write('the first line\r\n');
    });
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.end();
    });
  }

  weight(): Weight {
    const pids = processesOf(this.#child.pid ?? -1).map(({ pid }) => pid);
    const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0);
    return {
      bytes: sum((pid) => number(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+)/m)) * 1024,
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

function number(file: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // it has ended meanwhile
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: string) => {
      said = (said + text).slice(-4096);
      const found = /listening on 127\.0\.0\.1:(\d+)/.exec(said);
      if (found) resolve(Number(found[1]));
    };
    child.stdout?.setEncoding('utf8').on('data', hear);
    child.stderr?.setEncoding('utf8').on('data', hear);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`it ended before it listened: ${said.trim()}`)));
    setTimeout(() => reject(new Error(`it does not listen: ${said.trim()}`)), PATIENCE).unref();
  });
}
