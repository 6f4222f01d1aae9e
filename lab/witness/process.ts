/**
 * The witness as a process: the parent of one server, because only an ancestor may look at what a
 * process waits for (Yama's `ptrace_scope` 1, which is Ubuntu's default). It is forked by `Witness`, and
 * ends its server when that is gone.
 */
import { constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeBytes } from '../../client/escape.ts';
import { ServerProcess } from '../../conformance/server-process.ts';
import { cFunction } from '../../sockets/libc.ts';
import type { Entry, Ms } from '../trace.ts';
import type { FromWitness, ToWitness } from './index.ts';
import { Watch } from './watch.ts';

const mkfifo = cFunction('int mkfifo(const char *, unsigned int)');
const sched_getaffinity = cFunction('int sched_getaffinity(int, size_t, void *)');
const sched_setaffinity = cFunction('int sched_setaffinity(int, size_t, const void *)');

const preload = new URL('inside.js', import.meta.url).href;

let server: ServerProcess | undefined;
let watch: Watch | undefined;
/** Why nothing can be seen at all. */
let blindSockets: string | undefined;
let blindTasks: string | undefined;

/** The clock of the trace: what hrtime said when it began. */
let zero = 0n;
let interval = 1;
let lastLook = 0;
let looks = 0;
const gaps: number[] = [];
let entries: Entry[] = [];
let hasBegun = false;

const directory = mkdtempSync(join(tmpdir(), 'line-echo-lab-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const fifo = openFifo(join(directory, 'inside'));

function openFifo(path: string): number {
  mkfifo(path, 0o600);
  process.env.LINE_ECHO_WITNESS = path;
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

function tell(message: FromWitness): void {
  if (process.connected) process.send?.(message);
}

function now(): Ms {
  return at(process.hrtime.bigint());
}

/** Milliseconds since the beginning, in hundredths. */
function at(time: bigint): Ms {
  return Math.max(0, Math.round(Number(time - zero) / 1e4) / 100);
}

async function start(order: Extract<ToWitness, { do: 'start' }>): Promise<void> {
  const { program, args, command, port, cores, cwd } = order;
  if (command && cwd !== undefined) process.chdir(cwd);
  const all = availableParallelism();
  const affinity = cores === undefined ? undefined : restrictTo(cores);
  try {
    const starting =
      command === undefined
        ? ServerProcess.start(program as string, args, { preload })
        : ServerProcess.startCommand(command, port as number, 20_000);
    if (affinity) sched_setaffinity(0, affinity.length, affinity);
    server = await starting;
  } catch (error) {
    tell({ failed: escapeBytes(Buffer.from((error as Error).message.trim())) });
    return;
  }
  server.ended.then((how) =>
    tell({ exit: how ?? 'unknown', at: hasBegun ? now() : 0, said: said() }),
  );
  readInside();
  tell({
    listening: { host: server.host, port: server.port, pid: server.pid },
    cores: Math.min(cores ?? all, all),
  });
}

/**
 * Restricts this thread, and so the processes that it starts, to the first `n` of its cores.
 *
 * @returns what it was allowed before
 */
function restrictTo(n: number): Buffer | undefined {
  const before = Buffer.alloc(128);
  if (sched_getaffinity(0, before.length, before) < 0) return undefined;
  const restricted = Buffer.alloc(128);
  for (let core = 0, left = n; core < 1024 && left > 0; core++) {
    if ((((before[core >> 3] as number) >> (core & 7)) & 1) === 0) continue;
    restricted[core >> 3] = (restricted[core >> 3] as number) | (1 << (core & 7));
    left--;
  }
  sched_setaffinity(0, restricted.length, restricted);
  return before;
}

function said(): string {
  return escapeBytes(Buffer.from((server?.said ?? '').slice(-2000)));
}

/** A watch of its own for each trace, made before it begins: it reads long tables. */
function prepare(): void {
  hasBegun = false;
  clearTimeout(timer);
  watch?.close();
  watch = undefined;
  if (!server) return;
  const { pid, host, port } = server;
  try {
    const at = { address: host, port };
    const practice = new Watch(pid, at, () => undefined); // the first look takes long, too
    practice.look(0);
    practice.close();
    watch = new Watch(pid, at, (entry) => entries.push(entry));
    for (const [one, tid] of announced) watch.announce(one, tid, 0);
  } catch (error) {
    const isLinux = process.platform === 'linux';
    blindSockets = isLinux
      ? `the kernel does not tell about sockets: ${(error as Error).message}`
      : 'only Linux tells what a server waits for, and where the bytes are';
    blindTasks = blindSockets;
  }
  tell({ prepared: true, ...blindness() });
}

/** One look after the other; between two of them messages come in. */
function look(): void {
  readInside();
  if (!watch || !hasBegun) return;
  const t = now();
  const gap = Math.round((t - lastLook) * 100) / 100;
  gaps.push(gap);
  lastLook = t;
  looks++;
  try {
    watch.look(t);
  } catch (error) {
    blindSockets ??= (error as Error).message;
  }
  flush();
  timer = setTimeout(look, interval);
}

function flush(): void {
  if (entries.length === 0) return;
  tell({ entries });
  entries = [];
}

/** Threads that have said that they are the service's: process, thread. */
const announced: [number, number][] = [];

let timer: NodeJS.Timeout | undefined;
let unfinished = '';
const chunk = Buffer.allocUnsafeSlow(64 * 1024);

/** What the models say of themselves. */
function readInside(): void {
  let length: number;
  try {
    length = readSync(fifo, chunk, 0, chunk.length, null);
  } catch {
    return; // nothing has come (EAGAIN)
  }
  const lines = (unfinished + chunk.toString('latin1', 0, length)).split('\n');
  unfinished = lines.pop() ?? '';
  for (const line of lines) {
    const word = JSON.parse(line) as {
      pid: number;
      tid: number;
      at: string;
      line?: string;
      begins?: boolean;
    };
    if (word.line === undefined) announced.push([word.pid, word.tid]);
    const task = hasBegun ? watch?.announce(word.pid, word.tid, at(BigInt(word.at))) : undefined;
    if (task === undefined || word.line === undefined) continue;
    const text = escapeBytes(Buffer.from(word.line.replace(/\r?\n$/, ''), 'latin1'));
    const t = at(BigInt(word.at));
    entries.push({ inside: word.begins ? { t, task, line: text } : { t, task } });
  }
}

function begin({ zero: began, looksPerSecond }: Extract<ToWitness, { do: 'begin' }>): void {
  readInside(); // what it said before belongs to no trace, but for the names of threads
  zero = BigInt(began);
  entries = [];
  gaps.length = 0;
  looks = 0;
  lastLook = 0;
  interval = Math.max(1, Math.round(1000 / looksPerSecond));
  hasBegun = true;
  look();
}

function kill(client: string): void {
  const holder = watch?.holderOf(client);
  if (!holder) return;
  const { pid, task } = holder;
  entries.push({
    event: { t: now(), who: 'server', did: 'signal', signal: 'SIGKILL', ...(task ? { task } : {}) },
  });
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

function stop(): void {
  if (!server?.isRunning) return;
  entries.push({ event: { t: now(), who: 'server', did: 'signal', signal: 'SIGTERM' } });
  process.kill(server.pid, 'SIGTERM');
}

function blindness(): { blindTasks?: string; blindSockets?: string } {
  const tasks = blindTasks ?? watch?.blind;
  return {
    ...(tasks === undefined ? {} : { blindTasks: tasks }),
    ...(blindSockets === undefined ? {} : { blindSockets }),
  };
}

/** How closely it looked. */
function tellQuality(): void {
  readInside();
  hasBegun = false;
  clearTimeout(timer);
  flush();
  const sorted = [...gaps].sort((a, b) => a - b);
  tell({
    quality: {
      looks,
      longestGap: Math.round((sorted.at(-1) ?? 0) * 100) / 100,
      medianGap: Math.round((sorted[sorted.length >> 1] ?? 0) * 100) / 100,
      coreWait: Math.round((watch?.coreWait ?? 0) * 100) / 100,
    },
    ...blindness(),
  });
}

async function end(): Promise<void> {
  hasBegun = false;
  server?.kill('SIGKILL');
  await server?.stop();
  watch?.close();
  process.exit(0);
}

process.on('message', (order: ToWitness) => {
  if (order.do === 'start') start(order);
  else if (order.do === 'prepare') prepare();
  else if (order.do === 'begin') begin(order);
  else if (order.do === 'client') watch?.addClient(order.client, order.port);
  else if (order.do === 'kill') kill(order.client);
  else if (order.do === 'stop') stop();
  else if (order.do === 'quality') tellQuality();
  else end();
});
process.on('disconnect', end);
// Ctrl-C reaches the whole terminal: whoever started this decides.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', end);
