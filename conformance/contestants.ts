/** Whom the suite can judge: a model of this collection, a server that runs, a command that starts one. */
import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, connect } from '../client/client.ts';
import type { Target } from './check.ts';
import { declarations } from './declarations.ts';
import { isHeld, isListening } from './processes.ts';
import { ServerProcess } from './server-process.ts';

const MAX_LINE = 65536;

/** How long a server's children may go on listening when it has ended, in milliseconds. */
const LEFTOVERS = 5000;

/** How long a port may be held after that: TIME_WAIT is 60 s. */
const PORT_IS_FREE = 70_000;

/** It cannot be judged: the command line names what is not there, or is in the way. */
export class NotThere extends Error {}

export interface Contestant {
  readonly name: string;
  /** Why it may fail a check, by the check's id. */
  readonly known: ReadonlyMap<string, string>;
  /** Whether it is started here, and can be started again. */
  readonly isOurs: boolean;
  /** How to name it on the command line. */
  readonly commandLine: { readonly before: string; readonly after: string };
  /**
   * Starts it, again if need be.
   *
   * @throws NotThere when that is the caller's mistake; Error when the server does not come up
   */
  start(): Promise<Target>;
  /** Why it cannot be talked to any more; undefined while it can. */
  gone(): Promise<string | undefined>;
  stop(): Promise<void>;
  /** The last that it said, as far as that is known. */
  readonly said: string;
}

export const MODELS = ['blocking', 'poll-loop', 'worker-threads', 'cluster', 'rxjs'];

abstract class Started implements Contestant {
  abstract readonly name: string;
  abstract readonly known: ReadonlyMap<string, string>;
  abstract readonly commandLine: { before: string; after: string };
  readonly isOurs = true;
  protected server: ServerProcess | undefined;

  protected abstract launch(): Promise<ServerProcess>;

  async start(): Promise<Target> {
    await this.stop();
    this.server = await this.launch();
    const { host, port, pid } = this.server;
    return { name: this.name, host, port, maxLine: MAX_LINE, group: pid };
  }

  async gone(): Promise<string | undefined> {
    if (!this.server || this.server.isRunning) return undefined;
    const how = await this.server.ended;
    return typeof how === 'string' ? `it was ended by ${how}` : `it ended with exit code ${how}`;
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  get said(): string {
    return this.server?.said ?? '';
  }
}

/** A program of this collection, with what it is declared not to do. */
export class Program extends Started {
  readonly name: string;
  readonly known: ReadonlyMap<string, string>;
  readonly commandLine: { before: string; after: string };
  readonly #path: string;

  /**
   * @param path - from the project's root
   * @param known - what else is listed as failing
   */
  constructor(name: string, path: string, known: ReadonlyMap<string, string> = new Map()) {
    super();
    this.name = name;
    this.#path = path;
    this.known = new Map([...Object.entries(declarations[name] ?? {}), ...known]);
    this.commandLine = { before: name, after: '' };
  }

  protected launch(): Promise<ServerProcess> {
    return ServerProcess.start(this.#path);
  }
}

/** A command that starts a server on a port. */
export class Command extends Started {
  readonly name: string;
  readonly known: ReadonlyMap<string, string>;
  readonly commandLine: { before: string; after: string };
  readonly #command: readonly string[];
  readonly #port: number;
  readonly #readyTimeout: number;
  readonly #onWait: (why: string) => void;
  #hasRun = false;

  /**
   * @param readyTimeout - how long it may take to listen, in milliseconds
   * @param onWait - is told when a start has to wait
   */
  constructor(
    command: readonly string[],
    port: number,
    readyTimeout: number,
    known: ReadonlyMap<string, string>,
    onWait: (why: string) => void,
  ) {
    super();
    this.#onWait = onWait;
    this.name = command.join(' ');
    this.known = known;
    this.#command = command.map((word) => word.replaceAll('{port}', String(port)));
    this.#port = port;
    this.#readyTimeout = readyTimeout;
    this.commandLine = { before: `--port ${port}`, after: `-- ${command.map(quoted).join(' ')}` };
  }

  protected async launch(): Promise<ServerProcess> {
    const port = this.#port;
    await this.#until(async () => !(await isListening(port)), this.#hasRun ? LEFTOVERS : 0);
    if (await isListening(port)) {
      const what = this.#hasRun ? 'something that it left behind still' : 'something else already';
      throw new NotThere(
        `${what} listens on port ${port}: end it, or name another port with --port`,
      );
    }
    const startIt = () => ServerProcess.startCommand(this.#command, port, this.#readyTimeout);
    try {
      return await this.#started(startIt());
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code) throw new NotThere(`cannot start ${this.#command[0]}: ${code}`);
      if (!isHeld(port)) throw withHint(error as Error, port);
      this.#onWait(
        `port ${port} is still held by connections that have ended (TIME_WAIT): waiting`,
      );
      await this.#until(() => !isHeld(port), PORT_IS_FREE);
      return this.#started(startIt());
    }
  }

  async #started(server: Promise<ServerProcess>): Promise<ServerProcess> {
    await server;
    this.#hasRun = true;
    return server;
  }

  async #until(isSo: () => boolean | Promise<boolean>, most: number): Promise<void> {
    const deadline = performance.now() + most;
    while (!(await isSo()) && performance.now() < deadline) await sleep(100);
  }
}

/** How a command learns its port, in case that is why it does not listen there. */
function withHint({ message }: Error, port: number): Error {
  const hint = `It is told the port as PORT=${port} and in place of {port}; --port, --ready-timeout.`;
  return new Error(`${message.trimEnd()}\n${hint}`);
}

/** A server that runs already. */
export class Running implements Contestant {
  readonly name: string;
  readonly known: ReadonlyMap<string, string>;
  readonly isOurs = false;
  readonly commandLine: { before: string; after: string };
  readonly said = '';
  readonly #host: string;
  readonly #port: number;

  constructor(host: string, port: number, known: ReadonlyMap<string, string>) {
    this.#host = host;
    this.#port = port;
    this.name = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.known = known;
    this.commandLine = { before: `--connect ${this.name}`, after: '' };
  }

  async start(): Promise<Target> {
    const reason = await this.gone();
    if (reason) throw new NotThere(`nobody answers at ${this.name}: ${reason}`);
    const { address: host } = await lookup(this.#host);
    return { name: this.name, host, port: this.#port, maxLine: MAX_LINE };
  }

  async gone(): Promise<string | undefined> {
    try {
      const client = await connect({ host: this.#host, port: this.#port, timeout: 5000 });
      await client.close({ timeout: 300 });
      return undefined;
    } catch (error) {
      return error instanceof ClientError ? error.message : String(error);
    }
  }

  async stop(): Promise<void> {}
}

function quoted(word: string): string {
  return /^[\w./:=@%+,{}-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
