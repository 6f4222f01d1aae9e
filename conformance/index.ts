#!/usr/bin/env node
/** `npx tsx conformance`: aims the checks at servers, and tells what it found. */
import { writeFileSync } from 'node:fs';
import { checks } from './checks/index.ts';
import { Command, type Contestant, NotThere, Program, Running } from './contestants.ts';
import { HELP, type Kind, type Options, readOptions, UsageError } from './options.ts';
import { exitCodeOf, type Report, reportOf, version } from './report.ts';
import { html } from './reports/html.ts';
import { junit } from './reports/junit.ts';
import { markdown } from './reports/markdown.ts';
import { Progress } from './reports/progress.ts';
import { tap } from './reports/tap.ts';
import { isColoured, TerminalReport } from './reports/terminal.ts';
import { type Account, judge } from './suite.ts';

const DRAW: Readonly<Record<Kind, (report: Report) => string>> = {
  html,
  junit,
  markdown,
  tap,
  json: (report) => `${JSON.stringify(report, undefined, 2)}\n`,
};

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return say(HELP);
  if (options.version) return say(`conformance ${version()}`);
  if (options.list) return list(options);

  const terminal = new TerminalReport(isColoured(process.stdout));
  const progress = new Progress(process.stderr);
  const interruption = interruptible();

  const accounts: Account[] = [];
  write(options, reportOf(accounts, false, options.again)); // what cannot be written is better known now
  for (const contestant of contestants(options)) {
    if (interruption.aborted) break;
    say(terminal.heading(contestant.name));
    let done = 0;
    const account = await judge(contestant, options.checks, {
      slowFactor: options.slowFactor,
      signal: interruption,
      onCheck: ({ id }) => progress.show(`${++done}/${options.checks.length} ${id}`),
      onVerdict: (verdict) => {
        progress.clear();
        if (verdict.outcome !== 'blocked') say(terminal.verdict(verdict));
      },
    });
    accounts.push(account);
    for (const line of terminal.blocked(account.verdicts)) say(line);
    // After each server: what is known so far survives whatever comes.
    write(options, reportOf(accounts, interruption.aborted, options.again));
  }
  const report = reportOf(accounts, interruption.aborted, options.again);
  say(`\n${terminal.ending(report)}`);
  if (interruption.aborted) return 130;
  const codes = accounts.map(({ verdicts }) => exitCodeOf(verdicts, options.counts));
  return codes.includes(1) ? 1 : Math.max(...codes);
}

/** Aborts at the first signal; the second ends the process at once, and its servers with it. */
function interruptible(): AbortSignal {
  const controller = new AbortController();
  let since = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Ctrl-C reaches every process of a terminal, and tsx passes it on once more.
      if (controller.signal.aborted && performance.now() - since > 500) process.exit(130);
      if (since === 0) note('\nto end after this check (Ctrl-C again: at once)');
      since ||= performance.now();
      controller.abort();
    });
  }
  return controller.signal;
}

function contestants(options: Options): Contestant[] {
  const { connect, command, port, readyTimeout, known, models } = options;
  if (connect) return [new Running(connect.host, connect.port, known)];
  if (command) return [new Command(command, port, readyTimeout, known, note)];
  return models.map((name) => new Program(name, `models/${name}`, known));
}

function list({ checks: selected }: Options): number {
  for (const { id, level, title, sentence } of selected) {
    say(`${id}  (${level})\n    ${title}\n    “${sentence}”`);
  }
  return say(`${selected.length} of ${checks.length} checks`);
}

function write({ reports }: Options, report: Report): void {
  for (const { kind, file } of reports) {
    try {
      writeFileSync(file, DRAW[kind](report));
    } catch (error) {
      throw new UsageError(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
    }
  }
}

/** What explains a pause, not a result. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function say(text: string): 0 {
  process.stdout.write(`${text}\n`);
  return 0;
}

process.stdout.on('error', () => process.exit(141)); // a reader that is gone (`| head -1`)
main().then(
  (code) => process.exit(code),
  (error) => {
    const isTheirs = error instanceof UsageError || error instanceof NotThere;
    process.stderr.write(`conformance: ${isTheirs ? error.message : error.stack}\n`);
    process.exit(isTheirs ? 2 : 3);
  },
);
