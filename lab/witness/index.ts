/** The witness, as others use it: it starts one server, looks at it, and tells what it sees. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeCommand } from '../../conformance/node-command.ts';
import type { ClientId, Entry, Ms, Quality } from '../trace.ts';

/** Which server, and how. */
export type ServerSpec = {
  /** How many of the machine's cores it may use; absent: all. */
  readonly cores?: number;
} & (
  | {
      /** A TypeScript program of this project, from its root: `models/rxjs`. */
      readonly program: string;
      readonly args: readonly string[];
    }
  | {
      /** Any command that starts a server on this port of 127.0.0.1; it is in its environment as `PORT`. */
      readonly command: readonly string[];
      readonly port: number;
    }
);

/** What the process is told. */
export type ToWitness =
  | {
      readonly do: 'start';
      readonly program?: string;
      readonly args?: readonly string[];
      readonly command?: readonly string[];
      readonly port?: number;
      readonly cores?: number;
      /** Where a command is to be run. */
      readonly cwd?: string;
    }
  /** `zero`: what `process.hrtime.bigint()` said at the beginning. */
  | { readonly do: 'begin'; readonly zero: string; readonly looksPerSecond: number }
  | { readonly do: 'client'; readonly client: ClientId; readonly port: number }
  | { readonly do: 'kill'; readonly client: ClientId }
  | { readonly do: 'prepare' | 'stop' | 'quality' | 'end' };

/** What the process tells. */
export type FromWitness =
  | {
      readonly listening: { readonly host: string; readonly port: number; readonly pid: number };
      readonly cores: number;
    }
  | { readonly failed: string }
  | (Blindness & { readonly prepared: true })
  | { readonly entries: readonly Entry[] }
  | { readonly exit: number | string; readonly at: Ms; readonly said: string }
  | (Blindness & { readonly quality: Closeness });

/** How closely it looked, and how long the server's threads waited for a core. */
export type Closeness = Pick<Quality, 'looks' | 'longestGap' | 'medianGap' | 'coreWait'>;

interface Blindness {
  readonly blindTasks?: string;
  readonly blindSockets?: string;
}

/** A server that is being looked at. */
export class Witness {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** How many cores the server may use. */
  readonly cores: number;
  /** Why threads, or sockets, cannot be seen; each undefined while they can. */
  blindTasks: string | undefined;
  blindSockets: string | undefined;
  /** Is called with what was seen; may be replaced. */
  onEntries: (entries: readonly Entry[]) => void = () => undefined;
  /** Is called when the server's first process has ended: with an exit code or a signal's name. */
  onExit: (how: number | string, t: Ms) => void = () => undefined;
  /** The last that the server said, escaped; known when it has ended. */
  said = '';
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, first: Extract<FromWitness, { listening: unknown }>) {
    this.#process = child;
    this.host = first.listening.host;
    this.port = first.listening.port;
    this.pid = first.listening.pid;
    this.cores = first.cores;
    child.on('message', (message: FromWitness) => {
      if ('entries' in message) this.onEntries(message.entries);
      else if ('exit' in message) {
        this.said = message.said;
        this.onExit(message.exit, message.at);
      } else if ('quality' in message) this.#note(message);
    });
  }

  /**
   * Starts a server in a process of its own.
   *
   * @throws Error with what it said, when it does not listen within 20 s
   */
  static async start(spec: ServerSpec): Promise<Witness> {
    const [node, ...words] = nodeCommand('lab/witness/process.ts') as [string, ...string[]];
    const child = spawn(node, words, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // In a group of its own: Ctrl-C is for whoever started it, who ends it in order.
      detached: true,
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    send(child, { do: 'start', ...spec, cwd: process.cwd() });
    const first = await new Promise<FromWitness>((resolve) => {
      child.once('message', (message: FromWitness) => resolve(message));
      child.once('exit', () => resolve({ failed: 'the witness has ended' }));
    });
    if ('listening' in first) return new Witness(child, first);
    send(child, { do: 'end' });
    throw new Error('failed' in first ? first.failed : 'the witness said something else');
  }

  /** Gets ready to look, which takes a moment. */
  async prepare(): Promise<void> {
    const answer = await this.#ask({ do: 'prepare' }, (message) =>
      'prepared' in message ? message : undefined,
    );
    if (answer) this.#note(answer);
  }

  /**
   * From here on it looks.
   *
   * @param zero - what `process.hrtime.bigint()` said at the trace's time 0
   * @param looksPerSecond - up to about 900; 200 are enough for a live page
   */
  begin(zero: bigint, looksPerSecond: number): void {
    send(this.#process, { do: 'begin', zero: String(zero), looksPerSecond });
  }

  /** A client has connected, from this port. */
  addClient(client: ClientId, port: number): void {
    send(this.#process, { do: 'client', client, port });
  }

  /** SIGKILL to the process that holds a client. */
  killHolderOf(client: ClientId): void {
    send(this.#process, { do: 'kill', client });
  }

  /** SIGTERM to the server's first process. */
  stopServer(): void {
    send(this.#process, { do: 'stop' });
  }

  /** Ends the looking. @returns how closely it looked */
  async finish(): Promise<Closeness> {
    const nothing = { looks: 0, longestGap: 0, medianGap: 0, coreWait: 0 };
    const answer = await this.#ask({ do: 'quality' }, (message) =>
      'quality' in message ? message.quality : undefined,
    );
    return answer ?? nothing;
  }

  /** Ends the server and everything that it has started. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    send(this.#process, { do: 'end' });
    await ended;
  }

  /** @returns what `pick` finds in the first message in which it finds something; nothing from a witness that has ended */
  #ask<T>(
    question: ToWitness,
    pick: (message: FromWitness) => T | undefined,
  ): Promise<T | undefined> {
    return new Promise((resolve) => {
      const settle = (answer?: T) => {
        this.#process.off('message', hear).off('exit', settleEmpty);
        resolve(answer);
      };
      const settleEmpty = () => settle();
      const hear = (message: FromWitness) => {
        const answer = pick(message);
        if (answer !== undefined) settle(answer);
      };
      this.#process.on('message', hear).once('exit', settleEmpty);
      if (!send(this.#process, question)) settle();
    });
  }

  #note({ blindTasks, blindSockets }: Blindness): void {
    this.blindTasks = blindTasks;
    this.blindSockets = blindSockets;
  }
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  // A witness that loses its parent ends its server; this is only quicker.
  for (const child of running) child.disconnect();
});

function send(child: ChildProcess, message: ToWitness): boolean {
  if (!child.connected) return false;
  child.send(message, () => undefined);
  return true;
}
