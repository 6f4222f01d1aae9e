/** Who is measured: the models, and what they are compared with. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A server that is measured. */
export interface Contestant {
  readonly id: string;
  readonly kind: 'model' | 'baseline';
  /** What it is, in a few words. */
  readonly words: string;
  /** Whether one thread does all its work: it gets a core of its own then. */
  readonly oneThread: boolean;
  /** Whether it serves a second client while the first is connected. */
  readonly oneClient: boolean;
  /** What starts it on a free port, before the arguments of the workload. */
  readonly command: readonly string[];
}

const node = [process.execPath, '--import', 'tsx'];

function model(name: string, words: string, rest: Partial<Contestant> = {}, ...args: string[]) {
  const command = [...node, `models/${name}`, '--port', '0', '--log', 'off', ...args];
  return {
    id: name,
    kind: 'model',
    words,
    oneThread: true,
    oneClient: false,
    command,
    ...rest,
  } as const;
}

function baseline(id: string, words: string, command: readonly string[]) {
  return { id, kind: 'baseline', words, oneThread: true, oneClient: false, command } as const;
}

/** Everybody, in the order of the tables. */
export const contestants: readonly Contestant[] = [
  model('blocking', 'one client at a time', { oneClient: true }),
  model('poll-loop', 'one loop over poll(2)'),
  model('worker-threads', 'a pool, one thread for each core', { oneThread: false }),
  model('cluster', 'one process for each core', { oneThread: false }),
  model('cluster', 'a cluster of one process', { id: 'cluster-1' }, '--workers', '1'),
  model('rxjs', 'streams'),
  baseline('pipe', 'bare node:net, socket.pipe(socket)', [
    ...node,
    'bench/baselines/pipe.ts',
    '--port',
    '0',
  ]),
  baseline('snippet', 'the usual node:net snippet: text in a string', [
    ...node,
    'bench/baselines/snippet.ts',
    '--port',
    '0',
  ]),
  baseline('c-epoll', 'C, one thread, epoll(7)', ['c-epoll', '0']),
];

/** Something that could not be measured here. */
export interface LeftOut {
  readonly what: string;
  readonly why: string;
}

/** Builds the C baseline. @returns where it is, or why it is not */
export function buildEpoll(): string | LeftOut {
  const directory = mkdtempSync(join(tmpdir(), 'line-echo-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, 'c-epoll');
  const source = fileURLToPath(new URL('baselines/epoll.c', import.meta.url));
  const args = ['-O2', '-o', program, source];
  const { error, status, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
  if (error) return { what: 'c-epoll', why: 'there is no C compiler (cc)' };
  if (status === 0) return program;
  const first = stderr.split('\n').find((line) => line.includes('error')) ?? `exit code ${status}`;
  return { what: 'c-epoll', why: `cc could not build it: ${first.trim()}` };
}
