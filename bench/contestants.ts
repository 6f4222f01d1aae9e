/** Which servers are measured: the models, and the baselines with which they are compared. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelNames } from '../conformance/models.ts';
import { nodeCommand } from '../conformance/node-command.ts';
import { whyNoIoUring } from '../sockets/io-uring.ts';

/** A server that is measured. */
export interface Contestant {
  readonly id: string;
  readonly kind: 'model' | 'baseline' | 'command';
  /** What it is, in a few words. */
  readonly words: string;
  /** Whether one thread does all its work; then it gets a core of its own. */
  readonly oneThread: boolean;
  /** How many clients it serves at a time, as it starts by default. */
  readonly clients: number;
  /**
   * What starts it, before the arguments of the workload. A model or a baseline picks a free port and says
   * which; a command is told one, as `PORT` in its environment and in place of `{port}`.
   */
  readonly command: readonly string[];
}

/** Nobody here knows of a limit. */
const ANY = Number.POSITIVE_INFINITY;

function model(name: string, words: string, rest: Partial<Contestant> = {}): Contestant {
  const command = [...nodeCommand(`models/${name}`), '--port', '0', '--log', 'off'];
  return { id: name, kind: 'model', words, oneThread: true, clients: ANY, command, ...rest };
}

function baseline(id: string, words: string, command: readonly string[]): Contestant {
  return { id, kind: 'baseline', words, oneThread: true, clients: ANY, command };
}

/** What is known of models, in the order of the tables: from the simplest to the newest, as on the map. */
const known: readonly Contestant[] = [
  model('blocking', 'one client at a time', { clients: 1 }),
  model('process-per-connection', 'a process for each client', { oneThread: false, clients: 64 }),
  model('poll-loop', 'one loop over poll(2)'),
  model('thread-per-connection', 'a thread for each client', { oneThread: false, clients: 256 }),
  model('cluster', 'one process for each core', { oneThread: false }),
  model('worker-threads', 'a pool, one thread for each core', { oneThread: false }),
  model('epoll-loop', 'one loop over epoll(7)'),
  model('coroutines', 'a generator for each client, over epoll(7)'),
  model('events', 'callbacks'),
  model('async-await', 'an async function for each client'),
  model('rxjs', 'streams'),
  model('io-uring', 'one loop over io_uring(7)'),
];

const names = modelNames();
/** Any other folder of `models/`, of which nothing is known: it gets all cores. */
const others = names
  .filter((name) => !known.some(({ id }) => id === name))
  .map((name) => model(name, `models/${name}`, { oneThread: false }));

/** Everybody, in the order of the tables. */
export const contestants: readonly Contestant[] = [
  ...known.filter(({ id }) => names.includes(id)),
  ...others,
  baseline('pipe', 'bare node:net, socket.pipe(socket)', [
    ...nodeCommand('bench/baselines/pipe.ts'),
    '--port',
    '0',
  ]),
  baseline('snippet', 'the usual node:net snippet: text in a string', [
    ...nodeCommand('bench/baselines/snippet.ts'),
    '--port',
    '0',
  ]),
  baseline('c-epoll', 'C, one thread, epoll(7)', ['baselines/epoll.c', '0']),
  baseline('c-io-uring', 'C, one thread, io_uring(7)', ['baselines/io-uring.c', '0']),
];

/** Any other server, in any language. It gets all cores, because nothing is known of it. */
export function commanded(command: readonly string[]): Contestant {
  const name = basename(command.findLast((word) => !/^-|\{port\}/.test(word)) ?? 'command');
  // Its name is a row of the tables, and must not be somebody else's.
  const id = contestants.some((each) => each.id === name) ? `${name} (yours)` : name;
  const words = command.join(' ');
  return { id, kind: 'command', words, oneThread: false, clients: ANY, command };
}

/** Something that could not be measured here. */
export interface LeftOut {
  readonly what: string;
  readonly why: string;
}

/** Who of `contestants` can be measured here, and why the others cannot. Builds what is written in C. */
export function available(): { here: Contestant[]; leftOut: LeftOut[] } {
  const here: Contestant[] = [];
  const leftOut: LeftOut[] = [];
  const noIoUring = whyNoIoUring();
  for (const each of contestants) {
    const ready = each.id.endsWith('io-uring') && noIoUring ? why(each, noIoUring) : built(each);
    if ('why' in ready) leftOut.push(ready);
    else here.push(ready);
  }
  return { here, leftOut };
}

/** The contestant with the program in place of its source in C, or why there is none. */
function built(contestant: Contestant): Contestant | LeftOut {
  const [first = '', ...args] = contestant.command;
  if (!first.endsWith('.c')) return contestant;
  const directory = mkdtempSync(join(tmpdir(), 'line-echo-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, contestant.id);
  const source = fileURLToPath(new URL(first, import.meta.url));
  const { error, status, stderr } = spawnSync('cc', ['-O2', '-o', program, source], {
    encoding: 'utf8',
  });
  if (error) return why(contestant, 'there is no C compiler (cc)');
  if (status === 0) return { ...contestant, command: [program, ...args] };
  const line = stderr.split('\n').find((text) => text.includes('error')) ?? `exit code ${status}`;
  return why(contestant, `cc could not build it: ${line.trim()}`);
}

const why = ({ id }: Contestant, reason: string): LeftOut => ({ what: id, why: reason });
