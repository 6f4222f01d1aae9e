/** All checks against one server: what is run, in which state, and who is to blame. */
import { setTimeout as sleep } from 'node:timers/promises';
import { escapeText } from '../client/client.ts';
import type { Check, Target } from './check.ts';
import { type Contestant, NotThere } from './contestants.ts';
import { measureRoundTrip, runCheck, type Verdict } from './run.ts';

/** How long to wait for what should happen, in milliseconds, on a server that answers at once. */
const PATIENCE = 5000;
/** On one that is slow: so many times its round trip. */
const ROUND_TRIPS = 50;

/** What became of one server. */
export interface Account {
  readonly contestant: Contestant;
  readonly verdicts: readonly Verdict[];
  /** The median round trip that all waits follow from, in milliseconds; undefined: it never answered. */
  readonly roundTrip: number | undefined;
}

export interface Circumstances {
  /** Makes every wait longer: 2 for twice as long. */
  readonly slowFactor: number;
  /** Ends the run: what is left is blocked. */
  readonly signal: AbortSignal;
  onCheck(check: Check): void;
  onVerdict(verdict: Verdict): void;
}

/**
 * Runs checks one after another. A server that dies is blamed in the check in which it died, and
 * started again if it was started here; what needs a check that failed is blocked.
 *
 * @throws NotThere when there is nobody to judge
 */
export async function judge(
  contestant: Contestant,
  checks: readonly Check[],
  { slowFactor, signal, onCheck, onVerdict }: Circumstances,
): Promise<Account> {
  const verdicts: Verdict[] = [];
  let target: Target;
  try {
    target = await contestant.start();
  } catch (error) {
    if (error instanceof NotThere) throw error;
    const reason = escapeText((error as Error).message.trim());
    for (const check of checks) verdicts.push(blocked(check, reason));
    for (const verdict of verdicts) onVerdict(verdict);
    return { contestant, verdicts, roundTrip: undefined };
  }
  const roundTrip = await measureRoundTrip(target, PATIENCE * slowFactor).catch(() => undefined);
  const patience = Math.max(PATIENCE, ROUND_TRIPS * (roundTrip ?? 0)) * slowFactor;
  /** Why nothing more can be asked of it. */
  let over: string | undefined;

  for (const check of checks) {
    if (signal.aborted) over ??= 'the run was interrupted';
    // What is listed as failing is proven to fail, each by itself.
    const missing = contestant.known.has(check.id) ? undefined : missingFor(check, verdicts);
    const reason = over ?? (missing && `it needs ${missing}`);
    let verdict: Verdict;
    if (reason) {
      verdict = blocked(check, reason);
    } else {
      onCheck(check);
      const known = contestant.known.get(check.id);
      // What is listed as failing is given less time to do so.
      const time = known === undefined ? patience : patience / 5;
      verdict = await runCheck(check, target, time, roundTrip ?? PATIENCE / 20);
      let hasDied: boolean;
      ({ verdict, target, over, hasDied } = await aftermath(contestant, target, verdict, patience));
      // To die is another failure than the one that is known.
      if (known !== undefined && !hasDied) verdict = asKnown(verdict, known);
    }
    verdicts.push(verdict);
    onVerdict(verdict);
  }
  await contestant.stop();
  return { contestant, verdicts, roundTrip };
}

/** What keeps those that need a check from being run. */
const HAS_FAILED: ReadonlySet<string> = new Set(['fail', 'known', 'blocked', 'harness']);

/** The check that failed and without which this one tells nothing, if there is one. */
function missingFor(check: Check, verdicts: readonly Verdict[]): string | undefined {
  for (const id of check.needs ?? []) {
    const verdict = verdicts.find((one) => one.check.id === id);
    if (verdict && HAS_FAILED.has(verdict.outcome)) {
      return verdict.outcome === 'blocked' ? missingFor(verdict.check, verdicts) : id;
    }
  }
  return undefined;
}

/** In which state a check has left the server: dead, deaf, or as it was. */
async function aftermath(
  contestant: Contestant,
  target: Target,
  verdict: Verdict,
  patience: number,
): Promise<{ verdict: Verdict; target: Target; over: string | undefined; hasDied: boolean }> {
  await sleep(20); // a process that was hit needs a moment to fall
  const gone = await contestant.gone();
  if (gone) {
    const said = lastWords(contestant.said);
    const message = `the server died in this check: ${gone}${said}`;
    const dead: Verdict = { ...verdict, outcome: 'fail', message, difference: undefined };
    const hasDied = true;
    if (!contestant.isOurs) return { verdict: dead, target, over: 'the server is gone', hasDied };
    return { ...(await restarted(contestant, dead, target)), hasDied };
  }
  const hasDied = false;
  if (verdict.outcome !== 'fail') return { verdict, target, over: undefined, hasDied };
  // It may be deaf for a while, or for good: the next check is not to be blamed for it.
  const answersAgain = await measureRoundTrip(target, patience / 2).then(
    () => true,
    () => false,
  );
  if (answersAgain) return { verdict, target, over: undefined, hasDied };
  if (contestant.isOurs) return { ...(await restarted(contestant, verdict, target)), hasDied };
  // One that never gets the first line right is not deaf: it is wrong, and its dependants are blocked.
  const over =
    verdict.check.id === 'framing/one-line'
      ? undefined
      : `the server has not recovered from ${verdict.check.id}`;
  return { verdict, target, over, hasDied };
}

async function restarted(contestant: Contestant, verdict: Verdict, target: Target) {
  try {
    return { verdict, target: await contestant.start(), over: undefined };
  } catch (error) {
    const over = `it could not be started again: ${escapeText((error as Error).message.trim())}`;
    return { verdict, target, over };
  }
}

function asKnown(verdict: Verdict, reason: string): Verdict {
  const { outcome, message } = verdict;
  if (outcome === 'fail')
    return { ...verdict, outcome: 'known', message: `${reason} (${message})` };
  if (outcome !== 'pass') return verdict;
  const stale = `it is listed as failing (${reason}), but it passes`;
  return { ...verdict, outcome: 'stale', message: stale };
}

function blocked(check: Check, reason: string): Verdict {
  return { check, outcome: 'blocked', message: reason, milliseconds: 0, transcript: '' };
}

function lastWords(said: string): string {
  const lines = escapeText(said.trimEnd().split('\n').slice(-12).join('\n'));
  return lines ? `; it said last:\n${lines}` : '';
}
