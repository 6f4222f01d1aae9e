/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { escapeBytes } from '../client/escape.ts';
import { contestants } from './contestants.ts';
import { questions } from './questions/index.ts';

export const HELP = `Measures what each model costs, beside baselines, in one run.

Usage: npm run bench -- [options]
       npm run bench -- [options] -- command...    measures your server beside them
       npm run bench -- --compare A.json B.json    what two runs prove to differ

A command is told its port in PORT, and in place of {port}.

  --quick             fewer situations, shorter rounds: under three minutes on two cores
  --only NAME,…       ${contestants.map(({ id }) => id).join(', ')}
                      (the baseline of each question is always measured)
  --workload NAME,…   ${questions.map(({ id }) => id).join(', ')}
  --rounds N          how many rounds, 1 to 100 (default 5; with --quick 2)
  --json FILE         file for the results (default bench/results/DATE.json)
  --compare A B       reads two results files, measures nothing
  --help

The exit code is 1 if a server echoed wrong bytes or could not be measured, or a file cannot be read, 2 after an invalid option.`;

export interface BenchOptions {
  readonly help: boolean;
  readonly quick: boolean;
  /** Ids of contestants and questions; by default all of them. */
  readonly only: readonly string[];
  readonly workloads: readonly string[];
  readonly rounds: number;
  readonly json: string | undefined;
  /** Two results files that are to be compared. */
  readonly compare: readonly [string, string] | undefined;
  /** The command after `--`, which takes part whatever `only` says. */
  readonly command: readonly string[] | undefined;
}

/** The command line is invalid. The message is one line; the exit code is 2. */
export class UsageError extends Error {}

/** @throws UsageError */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const dashes = argv.indexOf('--');
  const command = dashes < 0 ? undefined : argv.slice(dashes + 1);
  const args = dashes < 0 ? argv : argv.slice(0, dashes);
  if (command && !command[0]) throw new UsageError('no command after --');
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    quick: flag,
    only: text,
    workload: text,
    rounds: text,
    json: text,
    compare: flag,
    help: { ...flag, short: 'h' },
  } as const;
  try {
    const { values, positionals } = parseArgs({
      ...{ args: [...args], options },
      allowPositionals: args.includes('--compare'),
    });
    const [a = '', b = ''] = positionals;
    if (values.compare && (positionals.length !== 2 || command || args.length > 3)) {
      throw new UsageError('--compare takes two results files, and nothing else');
    }
    const rounds = values.rounds ?? (values.quick ? '2' : '5');
    if (!/^([1-9]\d?|100)$/.test(rounds)) {
      throw new UsageError(`--rounds takes a whole number from 1 to 100, not "${rounds}"`);
    }
    return {
      help: values.help,
      quick: values.quick,
      only: names('--only', values.only, contestants),
      workloads: names('--workload', values.workload, questions),
      rounds: Number(rounds),
      json: values.json,
      compare: values.compare ? [a, b] : undefined,
      command,
    };
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(escapeBytes(Buffer.from(sentence)));
  }
}

function names(
  option: string,
  text: string | undefined,
  known: readonly { id: string }[],
): string[] {
  const ids = known.map(({ id }) => id);
  if (text === undefined) return ids;
  const wanted = text.split(',');
  const unknown = wanted.find((one) => !ids.includes(one));
  if (unknown === undefined) return wanted;
  throw new UsageError(`${option}: there is no "${unknown}"; there are ${ids.join(', ')}`);
}
