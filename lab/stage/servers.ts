/** Which servers there are: the models, read from their folder, and any command. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { nodeCommand } from '../../conformance/node-command.ts';
import type { ServerSpec } from '../witness/index.ts';

const root = new URL('../..', import.meta.url);
const run = promisify(execFile);

/** A server that can be put on a stage. */
export interface Server {
  /** The model's folder, or the command. */
  readonly name: string;
  /** Whether it is one of `models/`. */
  readonly isModel: boolean;
  /** The command's words, in which `{port}` is the port; absent for a model. */
  readonly command?: readonly string[];
}

/** A model, as a server for a stage. */
export function model(name: string): Server {
  return { name, isModel: true };
}

/** Any command that starts a server: it learns its port from `PORT`, or in place of `{port}`. */
export function command(words: readonly string[]): Server {
  return { name: words.join(' '), isModel: false, command: words };
}

/** How a server is to be started. */
export async function specOf(
  server: Server,
  options: {
    readonly args?: readonly string[];
    readonly workers?: number;
    readonly cores?: number;
  },
): Promise<ServerSpec> {
  const { args = [], workers = 2, cores } = options;
  const restriction = cores === undefined ? {} : { cores };
  if (server.command) {
    const port = await freePort();
    const words = server.command.map((word) => word.replaceAll('{port}', String(port)));
    return { command: words, port, ...restriction };
  }
  const program = `models/${server.name}`;
  const choice = (await takesWorkers(program)) ? ['--workers', String(workers)] : [];
  return { program, args: [...choice, ...args], ...restriction };
}

const answers = new Map<string, Promise<boolean>>();

/** Whether a model has workers that can be counted: its own help says so. */
function takesWorkers(program: string): Promise<boolean> {
  const known = answers.get(program);
  if (known) return known;
  const [node, ...words] = nodeCommand(program) as [string, ...string[]];
  const asked = run(node, [...words, '--help'], { cwd: root }).then(
    ({ stdout }) => stdout.includes('--workers '),
    () => false, // it does not even know --help: to start it will say why
  );
  answers.set(program, asked);
  return asked;
}

/** A port that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
