/** An actor that acts in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeCommand } from '../../conformance/node-command.ts';
import type { ClientId } from '../trace.ts';
import type { ActorAct, ActorEvent } from './actor.ts';
import type { FromActor, ToActor } from './actor-process.ts';

export class RemoteActor {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process. @throws Error when it ends at once */
  static async start(): Promise<RemoteActor> {
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
    return new RemoteActor(child);
  }

  /** As the constructor of Actor. @param zero - what hrtime said at the trace's beginning */
  begin(
    name: ClientId,
    zero: bigint,
    report: (event: ActorEvent) => void,
    onPort: (port: number) => void,
  ): void {
    this.#child.on('message', (message: FromActor) => {
      if (message === 'ready') return;
      if ('event' in message) report(message.event);
      else onPort(message.port);
    });
    this.#send({ zero: String(zero), name });
  }

  act(act: ActorAct, at: { readonly host: string; readonly port: number }): void {
    this.#send({ act, at });
  }

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
