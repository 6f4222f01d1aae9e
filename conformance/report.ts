/** What a run found, as data: every report is drawn from this and from nothing else. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { explain } from './causes.ts';
import type { Difference, Level } from './check.ts';
import { checks } from './checks/index.ts';
import { quoted } from './contestants.ts';
import type { LineEnds } from './lens.ts';
import { COMMAND } from './options.ts';
import type { Outcome, Verdict } from './run.ts';
import type { Account } from './suite.ts';

/** One check on one server. */
export interface Result {
  readonly id: string;
  readonly level: Level;
  readonly title: string;
  /** What it enforces. */
  readonly sentence: string;
  readonly outcome: Outcome;
  readonly message: string;
  /** What mostly causes a failure; only beside one. */
  readonly cause?: string;
  /** The check that has probably failed for the same reason, and whose cause explains it. */
  readonly follows?: string;
  readonly difference?: Difference;
  readonly milliseconds: number;
  readonly transcript: string;
  /** The command that runs this check alone. */
  readonly again: string;
}

export interface ServerReport {
  readonly name: string;
  /** In one line: whether it fulfils the task. */
  readonly conclusion: string;
  /** Milliseconds; null when it never answered. */
  readonly roundTrip: number | null;
  /** How it ends lines; all checks but the first are judged by that. */
  readonly lineEnds: string;
  readonly results: readonly Result[];
}

export interface Report {
  readonly format: 1;
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly node: string;
  readonly system: string;
  /** Whether it was ended before all checks had run. */
  readonly interrupted: boolean;
  readonly servers: readonly ServerReport[];
}

/**
 * Puts together what was found.
 *
 * @param options - of the command line, for whoever runs a check again
 */
export function reportOf(
  accounts: readonly Account[],
  interrupted: boolean,
  options: readonly string[] = [],
): Report {
  return {
    format: 1,
    version: version(),
    date: new Date().toISOString(),
    node: process.version,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    interrupted,
    servers: accounts.map((account) => ({
      name: account.contestant.name,
      conclusion: conclusionOf(account.verdicts, account.lineEnds),
      lineEnds: lineEndsInWords(account.lineEnds),
      roundTrip: account.roundTrip ?? null,
      results: resultsOf(account, options),
    })),
  };
}

function resultsOf({ contestant, verdicts }: Account, options: readonly string[]): Result[] {
  const explanations = explain(verdicts);
  return verdicts.map((verdict) => {
    const { check, outcome, message, difference, milliseconds, transcript } = verdict;
    const { id, level, title, sentence } = check;
    const { before, after } = contestant.commandLine;
    const words = [before, ...options.map(quoted), `--only ${id}`, after];
    const again = [COMMAND, ...words].filter(Boolean).join(' ');
    const { text: cause, follows } = explanations.get(id) ?? {};
    const explained =
      outcome === 'fail'
        ? {
            ...(cause && { cause }),
            ...(follows && { follows }),
            ...(difference && { difference }),
          }
        : {};
    const what = { id, level, title, sentence, outcome, message };
    return { ...what, ...explained, milliseconds, transcript, again };
  });
}

/** The check that demands CR LF of every server. */
const FIRST = 'framing/one-line';

/** How many must-checks there are. */
const MUST = checks.filter(({ level }) => level === 'must').length;

/** Whether a server fulfils the task, in one line: the must-checks alone decide. */
export function conclusionOf(verdicts: readonly Verdict[], lineEnds?: LineEnds): string {
  const conclusion = lineEnds
    ? conclusionByOtherLineEnds(verdicts, lineEnds)
    : conclusionOnMust(verdicts);
  const others = verdicts.filter(
    ({ check, outcome }) => check.level === 'should' && outcome === 'fail',
  ).length;
  if (others === 0) return conclusion;
  return `${conclusion}; ${others} should-${others === 1 ? 'check' : 'checks'} failed`;
}

function lineEndsInWords(lineEnds: LineEnds | undefined): string {
  if (lineEnds === 'out') return 'takes CR LF, answers LF';
  return lineEnds === 'both' ? 'takes LF, answers LF' : 'takes CR LF, answers CR LF';
}

/** It is wrong at least in its line ends; what it would be without that is told as well. */
function conclusionByOtherLineEnds(verdicts: readonly Verdict[], lineEnds: LineEnds): string {
  const rest = verdicts.filter(({ check }) => check.level === 'must' && check.id !== FIRST);
  const failed = rest.filter(({ outcome }) => outcome === 'fail').length;
  const untold = rest.filter(({ outcome }) => outcome !== 'fail' && outcome !== 'pass').length;
  const what =
    lineEnds === 'out' ? 'answers end in LF' : 'it takes LF for CR LF, and answers end in LF';
  const unknown = untold > 0 ? `, ${untold} could not be told` : '';
  if (rest.length === 0) return `does not: ${what}`;
  const then =
    failed > 0
      ? `judged by that, ${failed} of the other ${rest.length} must-checks failed${unknown}`
      : `judged by that, it would fulfil the rest${unknown && ` (${unknown.slice(2)})`}`;
  return `does not: ${what}; ${then}`;
}

function conclusionOnMust(verdicts: readonly Verdict[]): string {
  const must = verdicts.filter(({ check }) => check.level === 'must');
  const having = (...outcomes: Outcome[]) =>
    must.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const failed = having('fail');
  const blocked = having('blocked');
  const unrun = blocked > 0 ? `, ${blocked} could not be run` : '';
  if (failed > 0) return `does not: ${failed} of ${must.length} must-checks failed${unrun}`;
  if (must.length === 0) return 'not judged: no must-check was run';
  const known = having('known');
  if (known > 0)
    return `fulfils the task but for ${known} of ${must.length} must-checks, as known${unrun}`;
  if (blocked > 0) return `not judged: ${blocked} of ${must.length} must-checks could not be run`;
  const untold = having('unsupported', 'harness');
  if (untold === must.length) return 'not judged: no must-check could be told';
  if (untold > 0)
    return `fulfils the task, as far as can be told: ${untold} of ${must.length} must-checks cannot`;
  if (must.length < MUST)
    return `fulfils ${must.length} of ${MUST} must-checks: the others were not asked`;
  return 'fulfils the task';
}

/**
 * The exit code: 1 when a check of a level that counts failed or could not be run, or the list of known
 * failures is stale; 3 when nothing did, but a check itself broke; otherwise 0.
 */
export function exitCodeOf(verdicts: readonly Verdict[], counts: ReadonlySet<Level>): 0 | 1 | 3 {
  if (verdicts.some(({ outcome }) => outcome === 'stale')) return 1;
  const counted = verdicts.filter(({ check }) => counts.has(check.level));
  const excuses = new Set(
    verdicts
      .filter(({ outcome }) => outcome === 'known' || outcome === 'harness')
      .map(({ check }) => check.id),
  );
  const isExcused = ({ outcome, check }: Verdict) =>
    outcome === 'blocked' && restsOn(check.needs ?? [], excuses, verdicts);
  if (counted.some((one) => ['fail', 'blocked'].includes(one.outcome) && !isExcused(one))) return 1;
  return verdicts.some(({ outcome }) => outcome === 'harness') ? 3 : 0;
}

/** Whether one of these checks is among the excuses, or rests itself on one that is. */
function restsOn(
  ids: readonly string[],
  excuses: ReadonlySet<string>,
  verdicts: readonly Verdict[],
): boolean {
  return ids.some((id) => {
    if (excuses.has(id)) return true;
    const verdict = verdicts.find(({ check }) => check.id === id);
    return verdict?.outcome === 'blocked' && restsOn(verdict.check.needs ?? [], excuses, verdicts);
  });
}

/** The version of this collection. */
export function version(): string {
  const file = new URL('../package.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
