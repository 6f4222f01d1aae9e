/** `npm run bench`: what each model costs, measured side by side. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { escapeBytes } from '../client/escape.ts';
import { comparisonText } from './compare.ts';
import { available, commanded } from './contestants.ts';
import { descriptorLimit, environment } from './environment.ts';
import { HELP, parseBenchOptions, UsageError } from './options.ts';
import { placement } from './processes.ts';
import { Progress } from './progress.ts';
import type { Effort, Question } from './question.ts';
import { questions } from './questions/index.ts';
import { type QuestionResults, type Results, readResults, type Wrong } from './results.ts';
import { answer, estimate, plan, Stage } from './run.ts';
import { tables } from './table.ts';

async function main(): Promise<number> {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.compare) return compareFiles(options.compare);
  if (process.platform !== 'linux') {
    console.error('bench: needs Linux, because it reads /proc and waits in epoll(7)');
    return 1;
  }
  const { quick, rounds } = options;
  const effort: Effort = quick
    ? { quick, warmUp: 0.1, seconds: 0.2 }
    : { quick, warmUp: 0.15, seconds: 0.5 };
  const { here, leftOut } = available();
  const only = [...options.only];
  if (options.command) {
    const yours = commanded(options.command);
    here.push(yours);
    only.push(yours.id);
  }
  const asked: Question[] = [];
  for (const question of questions.filter(({ id }) => options.workloads.includes(id))) {
    const why = await question.obstacle?.();
    if (why === undefined) asked.push(question);
    else leftOut.push({ what: `“${question.title}”`, why });
  }
  const made = plan(asked, here, only, effort, rounds, descriptorLimit());
  leftOut.push(...made.leftOut);
  for (const { what, why } of leftOut) console.log(`left out: ${what}: ${why}`);
  console.log(placement.inWords);

  const startedAt = new Date();
  const began = { ...environment(), date: startedAt.toISOString() };
  const total = made.plans.reduce(
    (sum, each) =>
      each.cells.reduce(
        (part, { cell, contestants }) =>
          part + estimate(each, cell, effort) * contestants.length * each.rounds,
        sum,
      ),
    0,
  );
  const progress = new Progress(total);
  const wrong: Wrong[] = [];
  const failed: Wrong[] = [];
  const answers: QuestionResults[] = [];
  let stage = new Stage();
  for (const [i, each] of made.plans.entries()) {
    if (i > 0 && !quick) {
      await stage.clear();
      stage = new Stage();
    }
    const answered = await answer(each, stage, effort, progress, wrong, failed);
    answers.push(answered);
    progress.clear();
    console.log(tables(answered, here));
  }
  await stage.clear();
  const tookPart = new Set(
    made.plans.flatMap(({ cells }) => cells).flatMap((one) => one.contestants),
  );
  const results: Results = {
    format: 1,
    ...began,
    took: Math.round((Date.now() - startedAt.getTime()) / 1000),
    placement: placement.inWords,
    options: { quick, rounds, warmUp: effort.warmUp, seconds: effort.seconds },
    contestants: here
      .filter((each) => tookPart.has(each))
      .map(({ id, kind, words }) => ({ id, kind, words })),
    leftOut,
    wrong,
    failed,
    questions: answers,
  };
  const file = options.json ?? defaultFile(startedAt);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${compact(results)}\n`);
  console.log(`\n${results.took} s; every round is in ${relative('.', file)}`);
  for (const each of wrong) {
    console.error(`bench: ${each.contestant} is wrong (${each.cell}): ${each.what}`);
  }
  for (const each of failed) {
    console.error(`bench: ${each.contestant} was not measured (${each.cell}): ${each.what}`);
  }
  return wrong.length + failed.length > 0 ? 1 : 0;
}

function compareFiles(files: readonly [string, string]): number {
  try {
    const [a, b] = files.map((file) => readResults(file)) as [Results, Results];
    console.log(comparisonText(a, b));
    return 0;
  } catch (error) {
    console.error(`bench: ${escapeBytes(Buffer.from((error as Error).message))}`);
    return 1;
  }
}

function defaultFile(date: Date): string {
  const [day = '', time = ''] = date.toISOString().split('T');
  const name = `results/${day}-${time.slice(0, 5).replace(':', '')}.json`;
  return fileURLToPath(new URL(name, import.meta.url));
}

/** JSON with a line for each round. */
function compact(results: Results): string {
  const text = JSON.stringify(results, (_, value) => rounded(value), 1);
  return text.replace(/\{\n\s+"contestant": [^{}]*\{[^{}]*\}[^{}]*\}/g, (round) =>
    round.replace(/\n\s*/g, ' '),
  );
}

/** Six digits are more than the precision of any figure here. */
function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

// Exit at a signal, so that the exit handlers end everything that was started.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => process.exit(code));
}

// When nobody reads the output any more, end as a program without a handler of SIGPIPE does.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => process.exit(141));
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}; see --help`);
  process.exitCode = 2;
}
