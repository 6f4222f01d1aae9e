/** Actors that act in a process of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeCommand } from '../../conformance/node-command.ts';
import type { ClientId } from '../trace.ts';
import type { ActorAct, ActorEvent } from './actor.ts';
import type { FromActor, ToActor } from './actor-process.ts';

/** A process in which actors act: of several stages, if they like. */
export class ActorProcess {
  readonly #child: ChildProcess;
  readonly #hear = new Map<number, (message: FromActor) => void>();
  #actors = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message: FromActor | 'ready') => {
      if (message !== 'ready') this.#hear.get(message.of)?.(message);
    });
  }

  /** @throws Error when it ends at once */
  static async start(): Promise<ActorProcess> {
    const [node, ...words] = nodeCommand('lab/stage/actor-process.ts') as [string, ...string[]];
    const child = spawn(node, words, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`a client's process ended with ${code}`)));
    });
    return new ActorProcess(child);
  }

  /** One more actor. */
  add(): RemoteActor {
    const of = ++this.#actors;
    return new RemoteActor({
      tell: (message) => this.#send({ of, ...message }),
      hear: (listener) => this.#hear.set(of, listener),
      leave: async () => {
        this.#hear.delete(of);
        this.#send({ of, close: true });
      },
    });
  }

  /** Ends it, and the connections of all actors in it. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #send(message: ToActor): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

/** How an actor and its process talk. */
interface Line {
  readonly tell: (message: WithoutOf<ToActor>) => void;
  readonly hear: (listener: (message: FromActor) => void) => void;
  readonly leave: () => Promise<void>;
}

type WithoutOf<T> = T extends { of: number } ? Omit<T, 'of'> : never;

export class RemoteActor {
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  /** One with a process of its own, which ends with it. @throws Error as `ActorProcess.start` does */
  static async start(): Promise<RemoteActor> {
    const process = await ActorProcess.start();
    const actor = process.add();
    return new RemoteActor({ ...actor.#line, leave: () => process.close() });
  }

  /** As the constructor of Actor. @param zero - what hrtime said at the trace's beginning */
  begin(
    name: ClientId,
    zero: bigint,
    report: (event: ActorEvent) => void,
    onPort: (port: number) => void,
  ): void {
    this.#line.hear((message) => {
      if ('event' in message) report(message.event);
      else onPort(message.port);
    });
    this.#line.tell({ zero: String(zero), name });
  }

  act(act: ActorAct, at: { readonly host: string; readonly port: number }): void {
    this.#line.tell({ act, at });
  }

  async close(): Promise<void> {
    await this.#line.leave();
  }
}
