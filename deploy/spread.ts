/**
 * Several processes on one port of one machine: one listener that they share, or SO_REUSEPORT, a listener for each.
 * Who gets the connections, and how many processes does each wake?
 *
 *     npx tsx deploy/spread.ts [--quick]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { freshAddress } from '../bench/generator/source.ts';
import { nodeCommand } from '../conformance/node-command.ts';
import { ownership } from '../conformance/processes.ts';
import { ServerProcess } from '../conformance/server-process.ts';
import * as sys from '../sockets/index.ts';
import type { Counts } from './spread-worker.ts';

/** How the processes listen. */
export const WAYS = ['shared', 'exclusive', 'reuseport'] as const;
export type Way = (typeof WAYS)[number];

export const PROCESSES = 4;
/** Connections that wait to be accepted at a time, when they come in crowds. */
const CROWD = 64;
/** Connections while one process is stopped, and the milliseconds within which they should be accepted. */
const WHILE_STOPPED = 200;
const MOMENT = 1000;

/** What was counted for one way. */
export interface Spread {
  readonly way: Way | 'cluster';
  readonly atATime: number;
  /** Connections of each process. */
  readonly connections: readonly number[];
  /**
   * How often a process was woken for each connection, over all processes (voluntary context switches). Most who
   * are woken too late never return from epoll_wait(2): it looks again, finds nothing, and sleeps on.
   */
  readonly wakeUps?: number;
  /** Returns of epoll_wait(2) for each connection, over all processes. */
  readonly returns?: number;
  /** Calls of accept(2) that found nothing (EAGAIN) after a wake-up, for each connection. */
  readonly inVain?: number;
  /** Of 200 connections that came while one process was stopped: how many were not accepted within a second. */
  readonly stuck?: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Counts for every way.
 *
 * @param connections - a multiple of each of the sizes
 * @param sizes - how many connections come at a time
 */
export async function measureSpread(
  connections: number,
  onStep: (step: string) => void = () => undefined,
  sizes: readonly number[] = [1, CROWD],
): Promise<Spread[]> {
  const results: Spread[] = [];
  for (const way of WAYS) {
    for (const atATime of sizes) {
      onStep(`${way}, ${atATime} at a time`);
      results.push(await spreadOf(way, connections, atATime));
    }
  }
  onStep('the model cluster');
  results.push(await spreadOfCluster(connections));
  return results;
}

async function spreadOf(way: Way, connections: number, atATime: number): Promise<Spread> {
  // With SO_REUSEPORT this one only holds the port, bound and not listening: it gets no connections.
  const own = way === 'reuseport' ? boundSocket() : sys.openListener(LOOPBACK);
  const { port } = own.at;
  const workers = await Promise.all(
    Array.from({ length: PROCESSES }, () => startWorker(way, port, own.fd)),
  );
  const clients: number[] = [];
  try {
    await sleep(50); // until all are asleep
    const pids = workers.map(({ child }) => child.pid as number);
    const switchesBefore = switchesOf(pids);
    for (let i = 0; i < connections; i += atATime) clients.push(...come(port, atATime));
    await sleep(50);
    const switches = switchesOf(pids) - switchesBefore;
    const stuck = atATime === 1 ? await stuckBesideStopped(workers, port, clients) : undefined;
    const counts = await Promise.all(
      workers.map(({ child, counts }) => {
        child.stdin?.end();
        return counts;
      }),
    );
    const before = counts.map((one) => one.accepted - one.late);
    const sum = (of: (one: Counts) => number) => counts.reduce((total, one) => total + of(one), 0);
    return {
      way,
      atATime,
      connections: before,
      wakeUps: switches / connections,
      returns: sum((one) => one.wakeUps) / connections,
      inVain: sum((one) => one.inVain) / connections,
      ...(stuck !== undefined && { stuck }),
    };
  } finally {
    for (const { child } of workers) child.kill('SIGKILL');
    for (const fd of clients) sys.close(fd);
    sys.close(own.fd);
  }
}

const LOOPBACK = { address: '127.0.0.1', port: 0 };

function boundSocket(): sys.Listener {
  const fd = sys.socket(sys.AF_INET);
  sys.setsockopt(fd, sys.SO_REUSEPORT, 1);
  sys.bind(fd, LOOPBACK);
  return { fd, at: sys.getsockname(fd) };
}

interface Worker {
  readonly child: ChildProcess;
  readonly counts: Promise<Counts>;
}

async function startWorker(way: Way, port: number, listener: number): Promise<Worker> {
  const [node = '', ...program] = nodeCommand('deploy/spread-worker.ts');
  // The listener becomes the child's descriptor 3.
  const stdio = ['pipe', 'pipe', 'inherit', listener] as const;
  const child = spawn(node, [...program, way, String(port)], { cwd: root, stdio: [...stdio] });
  if (!child.stdout) throw new Error('a child with a pipe has a pipe');
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  const counts = once(lines, 'line').then(([line]) => JSON.parse(line) as Counts);
  counts.catch(() => undefined);
  return { child, counts };
}

/** So many connections at once; returns when each has got its byte, which proves that it was accepted. */
function come(port: number, count: number): number[] {
  const fds = Array.from({ length: count }, () => connectTo(port));
  const byte = Buffer.alloc(1);
  for (const fd of fds) sys.recv(fd, byte);
  return fds;
}

function connectTo(port: number): number {
  const fd = sys.socket(sys.AF_INET);
  sys.bind(fd, { address: freshAddress(), port: 0 }); // one address may have no ports left
  sys.setsockopt(fd, sys.SO_RCVTIMEO, 10_000);
  sys.connect(fd, { address: '127.0.0.1', port });
  return fd;
}

/** Stops one process, lets connections come, and counts those that nobody accepts. */
async function stuckBesideStopped(
  workers: readonly Worker[],
  port: number,
  clients: number[],
): Promise<number> {
  const { child } = workers[0] as Worker;
  for (const one of workers) one.child.kill('SIGUSR2'); // what comes from now on is counted apart
  await sleep(50);
  child.kill('SIGSTOP');
  const fds = Array.from({ length: WHILE_STOPPED }, () => connectTo(port));
  await sleep(MOMENT);
  const table = new sys.PollTable(WHILE_STOPPED);
  for (const fd of fds) table.add(fd, sys.POLLIN);
  const stuck = WHILE_STOPPED - table.poll(0);
  child.kill('SIGCONT');
  clients.push(...fds);
  const byte = Buffer.alloc(1);
  for (const fd of fds) sys.recv(fd, byte);
  return stuck;
}

/** The model itself, from outside: how many sockets each of its workers has more than before. */
async function spreadOfCluster(connections: number): Promise<Spread> {
  const args = ['--workers', String(PROCESSES), '--log', 'off'];
  const server = await ServerProcess.start('models/cluster', args);
  const clients: number[] = [];
  try {
    const listening = ownership(server.port, server.pid)?.holdings.map(({ pid }) => pid) ?? [];
    const workers = [...new Set(listening)].filter((pid) => pid !== server.pid); // the primary serves nobody
    const before = workers.map(socketsOf);
    const line = Buffer.from('hello\r\n');
    for (let i = 0; i < connections; i++) {
      const fd = connectTo(server.port);
      clients.push(fd);
      sys.send(fd, line);
      sys.recv(fd, Buffer.alloc(line.length));
    }
    const now = workers.map((pid, i) => socketsOf(pid) - (before[i] as number));
    return { way: 'cluster', atATime: 1, connections: now };
  } finally {
    for (const fd of clients) sys.close(fd);
    await server.stop();
  }
}

/** Voluntary context switches of processes so far: how often they went to sleep, and were woken. */
function switchesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  }, 0);
}

function socketsOf(pid: number): number {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // closed meanwhile
    }
  });
  return links.filter((link) => link.startsWith('socket:')).length;
}

/** The counts as a table in Markdown. */
export function spreadTable(spreads: readonly Spread[]): string {
  const words = {
    shared: 'one listener, shared',
    exclusive: 'one listener, shared, with EPOLLEXCLUSIVE',
    reuseport: 'SO_REUSEPORT: a listener for each',
    cluster: 'the model `cluster`',
  };
  const rows = spreads.map(({ way, atATime, connections, ...more }) => {
    const { wakeUps, returns, inVain, stuck } = more;
    const figure = (value: number | undefined) => value?.toFixed(2) ?? '';
    return `| ${words[way]} | ${atATime} | ${connections.join(', ')} | ${figure(wakeUps)} | ${figure(returns)} | ${figure(inVain)} | ${stuck ?? ''} |`;
  });
  return [
    '| how the processes listen | connections at a time | connections of each process | wake-ups for each connection | of these, epoll_wait returned | accept found nothing | of 200, stuck at a stopped process |',
    '| --- | ---: | --- | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const isQuick = process.argv.includes('--quick');
  const spreads = isQuick ? measureSpread(200, undefined, [1]) : measureSpread(1600);
  console.log(spreadTable(await spreads));
}
