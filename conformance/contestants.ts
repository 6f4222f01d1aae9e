/** Whom the suite can judge: a model of this collection, a server that runs, a command that starts one. */

import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, connect } from '../client/client.ts';
import type { Target } from './check.ts';
import { declarations } from './declarations.ts';
import { modelNames } from './models.ts';
import { isHeld, isListening } from './processes.ts';
import { PortTaken, ServerProcess } from './server-process.ts';

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
   * @param signal - gives up waiting for it
   * @throws NotThere when that is the caller's mistake; Error when the server does not come up
   */
  start(signal?: AbortSignal): Promise<Target>;
  /** Why it cannot be talked to any more; undefined while it can. */
  gone(): Promise<string | undefined>;
  stop(): Promise<void>;
  /** The last that it said, as far as that is known. */
  readonly said: string;
}

export const MODELS = modelNames();

abstract class Started implements Contestant {
  abstract readonly name: string;
  abstract readonly known: ReadonlyMap<string, string>;
  abstract readonly commandLine: { before: string; after: string };
  readonly isOurs = true;
  protected server: ServerProcess | undefined;

  protected abstract launch(signal?: AbortSignal): Promise<ServerProcess>;

  async start(signal?: AbortSignal): Promise<Target> {
    await this.stop();
    this.server = await this.launch(signal);
    const { host, otherHosts, port, pid } = this.server;
    return { name: this.name, host, otherHosts, port, maxLine: MAX_LINE, group: pid };
  }

  async gone(): Promise<string | undefined> {
    return this.server?.gone();
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
    // A script on the command line has many lines.
    const line = command.join(' ').replaceAll(/[\s\p{Cc}]+/gu, ' ');
    this.name = line.length > 100 ? `${line.slice(0, 100)} …` : line;
    this.known = known;
    this.#command = command.map((word) => word.replaceAll('{port}', String(port)));
    this.#port = port;
    this.#readyTimeout = readyTimeout;
    this.commandLine = { before: `--port ${port}`, after: `-- ${command.map(quoted).join(' ')}` };
  }

  protected async launch(signal?: AbortSignal): Promise<ServerProcess> {
    const port = this.#port;
    const isFree = async () => signal?.aborted || !(await isListening(port));
    await this.#until(isFree, this.#hasRun ? LEFTOVERS : 0);
    if (await isListening(port)) {
      const what = this.#hasRun ? 'something that it left behind still' : 'something else already';
      throw new NotThere(
        `${what} listens on port ${port}: end it, or name another port with --port`,
      );
    }
    const startIt = () =>
      ServerProcess.startCommand(this.#command, port, this.#readyTimeout, signal);
    try {
      return await this.#started(startIt());
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code) throw new NotThere(`cannot start ${this.#command[0]}: ${code}`);
      if (signal?.aborted) throw error;
      // Somebody was faster: another suite that was started at the same moment, perhaps.
      if (error instanceof PortTaken || (await isListening(port))) {
        throw new NotThere(
          `another server listens on port ${port}: end it, or name another port with --port`,
        );
      }
      if (!isHeld(port)) throw withHint(error as Error, port);
      this.#onWait(
        `port ${port} is still held by connections that have ended (TIME_WAIT): waiting`,
      );
      await this.#until(() => signal?.aborted || !isHeld(port), PORT_IS_FREE);
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
  /** The address that answered. */
  #address: string | undefined;

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
    return {
      name: this.name,
      host: this.#address ?? this.#host,
      port: this.#port,
      maxLine: MAX_LINE,
    };
  }

  async gone(): Promise<string | undefined> {
    let reason: string | undefined;
    // A name may have several addresses: the one that answers is used from then on.
    for (const host of this.#address ? [this.#address] : await this.#addresses()) {
      try {
        const client = await connect({ host, port: this.#port, timeout: 5000 });
        await client.close({ timeout: 300 });
        this.#address = host;
        return undefined;
      } catch (error) {
        reason = error instanceof ClientError ? error.message : String(error);
      }
    }
    return reason;
  }

  async #addresses(): Promise<string[]> {
    try {
      return (await lookup(this.#host, { all: true })).map(({ address }) => address);
    } catch (error) {
      throw new NotThere(`no such host ${this.#host}: ${(error as NodeJS.ErrnoException).code}`);
    }
  }

  async stop(): Promise<void> {}
}

/** A word as a shell reads it back. */
export function quoted(word: string): string {
  return /^[\w./:=@%+,{}-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
