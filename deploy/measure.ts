/**
 * Measures everything that docs/beyond-one-machine.md has figures of, in about three minutes, and writes a results
 * file. `npx tsx deploy/docs.ts` then writes the page's tables from the newest file.
 *
 *     npx tsx deploy/measure.ts            writes deploy/results/DATE.json
 *     npx tsx deploy/measure.ts --quick    half a minute; prints only
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { environment } from '../bench/environment.ts';
import { placement } from '../bench/processes.ts';
import { type Costs, measureCosts } from './costs.ts';
import { type Notice, noticeKill, noticeRoll } from './faults.ts';
import { haproxyVersion, whyNoHaproxy } from './haproxy.ts';
import { type KernelObject, kernelObjects } from './kernel-memory.ts';
import { measureSpread, type Spread } from './spread.ts';
import { tables } from './tables.ts';

/** A results file. */
export interface Results extends ReturnType<typeof environment> {
  readonly format: 1;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly haproxy: string;
  readonly placement: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly costs: Costs;
  readonly kill: Notice;
  readonly roll: Notice;
  readonly spread: readonly Spread[];
  /** Absent where only root may read it. */
  readonly objects?: readonly KernelObject[] | undefined;
  /** The machine's limits (sysctl(8)), by name. */
  readonly limits: Readonly<Record<string, string>>;
}

/** The limits that a million connections meet. */
const LIMITS = [
  ...['fs.nr_open', 'fs.file-max', 'net.core.somaxconn', 'net.ipv4.ip_local_port_range'],
  ...['net.ipv4.tcp_mem', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'],
];

function limits(): Record<string, string> {
  const entries = LIMITS.map((name) => {
    const text = readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8');
    return [name, text.trim().replaceAll(/\s+/g, ' ')];
  });
  return Object.fromEntries(entries);
}

async function main(): Promise<void> {
  const obstacle = whyNoHaproxy();
  if (obstacle) throw new Error(obstacle);
  const [option, ...more] = process.argv.slice(2);
  const isQuick = option === '--quick';
  if ((option !== undefined && !isQuick) || more.length > 0) {
    throw new Error('takes no option but --quick');
  }
  const [rounds, seconds] = isQuick ? [2, 0.5] : [5, 1.5];
  const onStep = (step: string) => process.stderr.write(`${step}\n`);
  const date = new Date().toISOString();
  const costs = await measureCosts(rounds, seconds, onStep);
  onStep('kill -9 under load');
  const kill = await noticeKill();
  onStep('a rolling restart under load');
  const roll = await noticeRoll();
  const spread = await measureSpread(isQuick ? 320 : 1600, onStep);
  onStep('kernel memory');
  const results: Results = {
    format: 1,
    date,
    ...environment(),
    haproxy: haproxyVersion(),
    placement: `The load generator runs on core ${placement.generators[0]?.join(', ') ?? 'any'}, the servers and HAProxy on all cores.`,
    rounds,
    seconds,
    costs,
    kill,
    roll,
    spread,
    objects: await kernelObjects(),
    limits: limits(),
  };
  for (const [name, table] of Object.entries(tables(results))) console.log(`${name}\n\n${table}\n`);
  if (isQuick) return;
  const folder = fileURLToPath(new URL('results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${date.slice(0, 16).replace('T', '-').replace(':', '')}.json`;
  writeFileSync(file, `${JSON.stringify(results, undefined, 1)}\n`);
  onStep(`written: ${file}; npx tsx deploy/docs.ts puts it into the page`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().then(
    () => process.exit(0),
    (error: Error) => {
      process.stderr.write(`deploy/measure: ${error.message}\n`);
      process.exit(1);
    },
  );
}
