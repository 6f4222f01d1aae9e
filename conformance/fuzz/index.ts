/** `npm run fuzz`: random scripts against our models, for as long as one likes. */
import { parseArgs } from 'node:util';
import { MODELS, Program } from '../contestants.ts';
import { type Finding, fuzz } from './play.ts';

const HELP = `Plays random scripts of clients against our models, and compares every answer. 2000 scripts take some
ten minutes for each model; Ctrl-C ends the run, and tells how far it was.

Usage: npm run fuzz -- [options] [model...]

  --runs N    scripts for each model (default 2000)
  --seed=N    as a failure printed it
  --path P    as a failure printed it, with its seed: plays that script alone
  --help

Exit codes: 0 nothing found, 1 found something, 2 a wrong command line.`;

class UsageError extends Error {}

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const unknown = positionals.find((name) => !MODELS.includes(name));
  if (unknown)
    throw new UsageError(`no model ${JSON.stringify(unknown)}: there are ${MODELS.join(', ')}`);
  const { path } = values;
  const runs = path === undefined ? wholeNumber('--runs', values.runs ?? '2000') : 1;
  if (runs < 1) throw new UsageError('--runs takes 1 or more');
  const seed = values.seed === undefined ? undefined : wholeNumber('--seed', values.seed);
  if (path !== undefined) {
    if (seed === undefined) throw new UsageError('--path means nothing without its --seed');
    if (!/^\d+(:\d+)*$/.test(path)) throw new UsageError(`no path: ${JSON.stringify(path)}`);
  }
  let found = 0;
  let soFar = '';
  process.on('SIGINT', () => {
    console.log(`${soFar}, then interrupted`);
    process.exit(130);
  });
  for (const name of positionals.length > 0 ? positionals : MODELS) {
    let done = 0;
    const startedAt = performance.now();
    soFar = `${name}: nothing played yet`;
    const finding = await fuzz(new Program(name, `models/${name}`), {
      runs,
      seed,
      path,
      onRun: () => {
        done++;
        soFar = `${name}: ${done} of ${runs} scripts, nothing found`;
        const left = ((performance.now() - startedAt) / done) * (runs - done);
        const minutes = Math.ceil(left / 60_000);
        if (process.stderr.isTTY && done % 10 === 0)
          process.stderr.write(`\r\x1b[K${name} ${done} of ${runs}, some ${minutes} min left`);
      },
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(
      finding
        ? told(name, finding)
        : `${name}: ${done} ${done === 1 ? 'script' : 'scripts'}, nothing found`,
    );
    if (finding) found++;
  }
  return found > 0 ? 1 : 0;
}

// With =, because a seed may be negative.
function told(name: string, { seed, path, script, message }: Finding): string {
  return `${name} is wrong:\n${message}\n\nThe script:\n${script}\n\nAgain: npm run fuzz -- --seed=${seed} --path ${path} ${name}`;
}

function readArguments() {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: { runs: text, seed: text, path: text, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\.\s|\n/)[0]);
  }
}

function wholeNumber(option: string, text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) {
    throw new UsageError(`${option} takes a whole number, not ${JSON.stringify(text)}`);
  }
  return Number(text);
}

main().then(
  (code) => process.exit(code),
  (error) => {
    const isTheirs = error instanceof UsageError;
    process.stderr.write(`fuzz: ${isTheirs ? error.message : error.stack}\n`);
    process.exit(isTheirs ? 2 : 3);
  },
);
