/** The tables of docs/beyond-one-machine.md, from a results file of `deploy/measure.ts` and one of the bench. */
import { basename } from 'node:path';
import { type Cost, SITUATIONS } from './costs.ts';
import type { Notice } from './faults.ts';
import type { Results } from './measure.ts';
import { spreadTable } from './spread.ts';
import { hidden } from './verdicts.ts';

const MILLION = 1_000_000;

/** The page's tables by name, those that need no figures of the bench. */
export function tables(results: Results): Record<string, string> {
  return {
    run: run(results),
    costs: costs(results),
    faults: faults(results),
    spread: spreadTable(results.spread),
    kernel: kernel(results),
    limits: limits(results),
    hidden: hiddenTable(),
  };
}

function run({ date, machine, kernel, node, haproxy, commit, rounds, placement }: Results): string {
  return `Measured on ${date.slice(0, 10)}: ${machine.cores} cores (${machine.cpu}), ${kernel}, Node ${node}, ${haproxy}, commit ${commit}, ${rounds} rounds. ${placement}`;
}

/** Medians, and the ratio to the first row of the kind: the median of the quotients of each round. */
function costs({ costs: { rounds, balancerMemory } }: Results): string {
  const of = (situation: string) => rounds.filter((one) => one.situation === situation);
  const value = (situation: string, figure: (cost: Cost) => number) =>
    median(of(situation).map(figure));
  const ratio = (situation: string, figure: (cost: Cost) => number) =>
    median(
      of(situation).map((one) => {
        const base = of('direct').find(({ round }) => round === one.round) as Cost;
        return figure(one) / figure(base);
      }),
    ).toFixed(2);
  const rows = SITUATIONS.map(({ id, words }) => {
    const both = (figure: (cost: Cost) => number) =>
      `${digits(value(id, figure))} (${ratio(id, figure)})`;
    const cells = [
      both((one) => one.echoesPerSecond),
      digits(value(id, (one) => one.serverCpu)),
      digits(value(id, (one) => one.balancerCpu)),
      `${ratio(id, (one) => one.serverCpu + one.balancerCpu)}`,
      both((one) => one.p50),
      both((one) => one.p99),
      both((one) => one.clientsPerSecond),
    ];
    return `| ${words} | ${cells.join(' | ')} |`;
  });
  return [
    '| | echoes a second | CPU of the servers for each echo, µs | CPU of HAProxy, µs | both, ratio | median, µs | 99th percentile, µs | clients a second |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    `HAProxy's own memory for each silent client: ${digits(balancerMemory / 1024)} KiB.`,
  ].join('\n');
}

function faults({ kill, roll }: Results): string {
  const row = (words: string, one: Notice) => {
    const endings = Object.entries(one.endings).map(([how, count]) => `${count} × ${how}`);
    return `| ${words} | ${one.interrupted} of ${one.clients} | ${endings.join(', ')} | ${digits(one.medianGap)} ms, ${digits(one.longestGap)} ms | ${digits(one.linesAnswered)} | ${one.linesSentAgain} | ${one.linesLost} |`;
  };
  return [
    '| under load | clients that noticed | how their connections ended | without an answer for: median, longest | lines answered | sent again | lost |',
    '| --- | ---: | --- | ---: | ---: | ---: | ---: |',
    row('`kill -9` of one of three servers', kill),
    row('rolling restart of all three', roll),
  ].join('\n');
}

/** Bytes in the kernel for each socket that epoll watches; undefined where that was not measured. */
function bytesOfSocket({ objects }: Results): number | undefined {
  return objects?.reduce((sum, { size }) => sum + size, 0);
}

function kernel(results: Results): string {
  const sum = bytesOfSocket(results);
  if (sum === undefined) return 'Not measured: only root may read /proc/slabinfo.';
  return [
    '| object in the kernel, one for each socket | bytes |',
    '| --- | ---: |',
    ...(results.objects ?? []).map(({ name, size }) => `| \`${name}\` | ${digits(size)} |`),
    `| all | ${digits(sum)} |`,
  ].join('\n');
}

function limits({ limits }: Results): string {
  return [
    '| limit | here |',
    '| --- | ---: |',
    ...Object.entries(limits).map(([name, value]) => `| \`${name}\` | ${value} |`),
  ].join('\n');
}

function hiddenTable(): string {
  return [
    '| defect of a server | the check that finds it directly, and not through HAProxy | why |',
    '| --- | --- | --- |',
    ...hidden.map(({ mutant, check, why }) => {
      const link = `[\`${mutant}\`](../conformance/mutants/${mutant}.ts)`;
      return `| ${link} | \`${check}\` | ${why} |`;
    }),
  ].join('\n');
}

/** Of a results file of the bench: what this page uses. */
export interface BenchResults {
  readonly date: string;
  readonly contestants: readonly { readonly id: string; readonly words: string }[];
  readonly questions: readonly {
    readonly id: string;
    readonly cells: readonly {
      readonly rounds: readonly {
        readonly contestant: string;
        readonly figures: Readonly<Record<string, number>>;
      }[];
    }[];
  }[];
}

/**
 * A million silent clients, by model.
 *
 * @param file - the name of the bench's results file
 */
export function millionTable(bench: BenchResults, file: string, results: Results): string {
  const rounds = bench.questions.find(({ id }) => id === 'idle')?.cells.flatMap((c) => c.rounds);
  const socket = bytesOfSocket(results);
  const inKernel = socket === undefined ? undefined : (socket * MILLION) / 2 ** 30;
  const row = (name: string, kibibytes: number, sockets: number) => {
    const own = (kibibytes * 1024 * MILLION) / 2 ** 30;
    const kernelPart = inKernel === undefined ? undefined : sockets * inKernel;
    const all = kernelPart === undefined ? '' : digits(own + kernelPart);
    return `| ${name} | ${digits(kibibytes)} | ${digits(own)} | ${kernelPart === undefined ? '' : digits(kernelPart)} | ${all} |`;
  };
  const rows = bench.contestants.flatMap(({ id }) => {
    const mine = (rounds ?? []).filter(({ contestant }) => contestant === id);
    const each = mine.flatMap(({ figures }) => figures.each9000 ?? []);
    return each.length > 0 ? [row(`\`${id}\``, Math.max(0, median(each)), 1)] : [];
  });
  return [
    '| | KiB for each client | GiB for a million | GiB in the kernel | GiB in all |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows,
    row('HAProxy, in front of any of them', results.costs.balancerMemory / 1024, 2),
    '',
    `The models' KiB are the figure “each of 9,000 more silent clients” of \`bench/results/${basename(file)}\`, and HAProxy's that of the run above.`,
  ].join('\n');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2;
}

/** Two or three significant digits, with a comma for thousands. */
function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  if (value >= 10) return value.toFixed(value % 1 === 0 ? 0 : 1);
  return value.toFixed(value % 1 === 0 ? 0 : 2);
}
