/** What the balancer costs: the same load on one server, through HAProxy on one and on three, and on `cluster`. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Generator } from '../bench/generator-process.ts';
import { placement } from '../bench/processes.ts';
import { SHORT } from '../bench/question.ts';
import { processesOf } from '../conformance/processes.ts';
import { Deployment } from './deployment.ts';
import { freePort } from './free-port.ts';
import { NAMES } from './haproxy.ts';

/** Clients in ping-pong; clients that come and go; clients whose lines are timed, and how many lines a second. */
const PING_PONG = 50;
const COME_AND_GO = 16;
const TIMED = { connections: 20, rate: 2000 };
/**
 * Seconds in which clients come and go. The ports of those who have gone are held for a minute (TIME_WAIT), and are
 * then missing to HAProxy, which needs one for each connection to a server.
 */
const BRIEFLY = { warmUp: 0.05, seconds: 0.15 };
/** Silent clients by which the balancer's memory is measured. */
const SILENT = 2000;

/** Where the load goes. */
interface Situation {
  readonly id: string;
  readonly words: string;
  readonly deployment: 'single' | 'cluster';
  /** How many of the three servers the balancer uses; 0: the first server, without the balancer. */
  readonly behind: 0 | 1 | 3;
}

export const SITUATIONS: readonly Situation[] = [
  { id: 'direct', words: 'one `epoll-loop`, directly', deployment: 'single', behind: 0 },
  { id: 'one', words: 'HAProxy, one `epoll-loop`', deployment: 'single', behind: 1 },
  { id: 'three', words: 'HAProxy, three `epoll-loop`', deployment: 'single', behind: 3 },
  { id: 'cluster', words: '`cluster`, directly', deployment: 'cluster', behind: 0 },
  { id: 'cluster-behind', words: 'HAProxy, one `cluster`', deployment: 'cluster', behind: 1 },
];

/** One round of one situation. Times in microseconds. */
export interface Cost {
  readonly situation: string;
  readonly round: number;
  readonly echoesPerSecond: number;
  /** CPU time for each echo of that load: of the servers, and of HAProxy. */
  readonly serverCpu: number;
  readonly balancerCpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly clientsPerSecond: number;
}

export interface Costs {
  readonly rounds: readonly Cost[];
  /** Bytes of HAProxy's memory for each of 2,000 silent clients. */
  readonly balancerMemory: number;
}

/**
 * Measures all situations in turn, in each round. Servers and HAProxy run on all cores, the generator on one of
 * them (`placement`), so on a machine of two cores they compete: read ratios, and the CPU time.
 *
 * @param seconds - of the first two of the three measurements of a round
 */
export async function measureCosts(
  count: number,
  seconds: number,
  onStep: (step: string) => void,
): Promise<Costs> {
  const generator = new Generator(placement.generators[0]);
  const args = ['--log', 'off'];
  const start = (model: string) =>
    Deployment.start({ program: `models/${model}`, args, port: freePort(), noHosts: true });
  const deployments = { single: await start('epoll-loop'), cluster: await start('cluster') };
  try {
    const rounds: Cost[] = [];
    for (let round = 0; round < count; round++) {
      for (const situation of SITUATIONS) {
        onStep(`round ${round + 1} of ${count}: ${situation.words}`);
        const deployment = deployments[situation.deployment];
        rounds.push(await costOf(situation, round, deployment, generator, seconds));
      }
    }
    onStep('memory of silent clients');
    return { rounds, balancerMemory: await memoryOfSilent(deployments.single, generator) };
  } finally {
    generator.end();
    await Promise.all(Object.values(deployments).map((one) => one.stop()));
  }
}

async function costOf(
  { id, behind }: Situation,
  round: number,
  deployment: Deployment,
  generator: Generator,
  seconds: number,
): Promise<Cost> {
  const { balancer } = deployment;
  for (const [i, name] of NAMES.entries()) {
    await balancer.ask(`set server echo/${name} state ${i < behind ? 'ready' : 'maint'}`);
    if (i < behind) await deployment.until(name, 'UP');
  }
  const address = deployment.server('one').address;
  const port = behind === 0 ? Number(address.split(':')[1]) : deployment.port;
  const warmUp = 0.2;
  const size = { port, lineLength: SHORT };
  const serverPids = deployment.servers.map(({ program }) => program.pid);

  await generator.tell('join', { ...size, crowd: 'all', connections: PING_PONG, linesEach: 8 });
  const before = [cpuOf(serverPids), cpuOf([balancer.program.pid])] as const;
  const load = { crowd: 'all', window: 1, warmUp, seconds };
  const { linesPerSecond, lines } = await generator.tell('closed', load);
  const servers = cpuOf(serverPids) - before[0];
  const ofBalancer = cpuOf([balancer.program.pid]) - before[1];
  await generator.tell('leave', { crowd: 'all' });

  const { connections, rate } = TIMED;
  await generator.tell('join', { ...size, crowd: 'timed', connections, linesEach: 32 });
  const { p50, p99 } = await generator.tell('open', { crowd: 'timed', rate, warmUp, seconds });
  await generator.tell('leave', { crowd: 'timed' });

  const churn = { ...size, ...BRIEFLY, clients: COME_AND_GO };
  const { clientsPerSecond } = await generator.tell('churn', churn);
  await sleep(50);
  return {
    situation: id,
    round,
    echoesPerSecond: linesPerSecond,
    serverCpu: servers / lines,
    balancerCpu: behind === 0 ? 0 : ofBalancer / lines,
    p50,
    p99,
    clientsPerSecond,
  };
}

async function memoryOfSilent(deployment: Deployment, generator: Generator): Promise<number> {
  const { balancer, port } = deployment;
  for (const name of NAMES) {
    await balancer.ask(`set server echo/${name} state ready`);
    await deployment.until(name, 'UP');
  }
  const of = () => memoryOf(balancer.program.pid);
  const before = of();
  const order = { crowd: 'silent', port, connections: SILENT, lineLength: SHORT, linesEach: 1 };
  await generator.tell('join', order);
  await sleep(400);
  const each = (of() - before) / SILENT;
  await generator.tell('prove', { crowd: 'silent' });
  await generator.tell('leave', { crowd: 'silent' });
  return each;
}

/** Microseconds of CPU of these processes and their children so far, all threads (/proc/PID/task/TID/schedstat). */
function cpuOf(groups: readonly number[]): number {
  const pids = new Set(groups.flatMap((group) => processesOf(group).map(({ pid }) => pid)));
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8');
      nanoseconds += Number(text.split(' ')[0]);
    }
  }
  return nanoseconds / 1000;
}

/** Bytes of a process's own memory. */
function memoryOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return 1024 * Number(/^Pss_Anon:\s+(\d+)/m.exec(text)?.[1]);
}
