/** The load generator, seen from the benchmark: a child process that gets commands. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { nodeCommand } from '../conformance/node-command.ts';
import type { Answer, Commands } from './generator/index.ts';
import { endGroup, onCores, start } from './processes.ts';

/** The server under test echoed wrong bytes; the message says what it did. Its figures are worthless. */
export class WrongServer extends Error {}

/** A running generator. */
export class Generator {
  readonly #child: ChildProcess;
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];

  /** @param cores - where it may run; undefined for anywhere */
  constructor(cores?: readonly number[]) {
    const command = nodeCommand('bench/generator/index.ts');
    this.#child = start(onCores(cores, command), ['pipe', 'pipe', 'inherit']);
    const { stdin, stdout } = this.#child;
    if (!stdin || !stdout) throw new Error('a child with pipes has pipes');
    stdin.on('error', () => {}); // it has ended: 'exit' tells
    createInterface({ input: stdout }).on('line', (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line) as Answer);
    });
    const ended = (how: unknown) => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error(`the generator ended: ${how}`));
    };
    this.#child.once('exit', (code, signal) => ended(signal ?? code));
    this.#child.once('error', ended);
  }

  /**
   * Gives it a command, and waits for the answer.
   *
   * @throws WrongServer when the server did not echo what it should; Error when the generator failed
   */
  async tell<Name extends keyof Commands>(
    command: Name,
    order: Parameters<Commands[Name]>[0],
  ): Promise<ReturnType<Commands[Name]>> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(new Error('the generator has ended'));
      }
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ command, order })}\n`);
    });
    if ('wrong' in answer) throw new WrongServer(answer.wrong);
    if ('failed' in answer) throw new Error(`the generator failed: ${answer.failed}`);
    return answer.result as ReturnType<Commands[Name]>;
  }

  /** Ends it, whatever it is doing. */
  end(): void {
    endGroup(this.#child.pid);
  }
}
