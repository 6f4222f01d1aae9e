/** All checks against one server: what is run, in which state, and who is to blame. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, escapeText } from '../client/client.ts';
import { type Check, LEVELS, type Target } from './check.ts';
import { type Contestant, NotThere } from './contestants.ts';
import { lastWords } from './last-words.ts';
import type { LineEnds } from './lens.ts';
import {
  isServed,
  lineEndsOf,
  measureRoundTrip,
  type Preparation,
  prepareCheck,
  runCheck,
  type Verdict,
} from './run.ts';

/** How long to wait for what should happen, in milliseconds, on a server that answers at once. */
const PATIENCE = 5000;
/** On one that is slow: so many times its round trip. */
const ROUND_TRIPS = 50;
/** How long the checks of one server may take in all, in milliseconds, where nobody says otherwise. */
const LONGEST_RUN = 300_000;
/** How long a server is watched after a check that may have killed it, in milliseconds. */
const AFTERMATH = 500;
/** Where nobody serves a second client, connections that stay open would stop everything. */
const BESIDE_ANOTHER = 'concurrency/second-client-while-first-idles';
/** The check that tells what a server answers at all. */
const FIRST = 'framing/one-line';

/** What became of one server. */
export interface Account {
  readonly contestant: Contestant;
  readonly verdicts: readonly Verdict[];
  /** The median round trip that all waits follow from, in milliseconds; undefined: it never answered. */
  readonly roundTrip: number | undefined;
  /** How it ends lines, where that is not CR LF in and out: all but the first check were judged by that. */
  readonly lineEnds: LineEnds | undefined;
}

export interface Circumstances {
  /** Makes every wait longer: 2 for twice as long. */
  readonly slowFactor: number;
  /** Milliseconds that all checks may take, 300,000 where absent; the slow factor makes it longer, too. */
  readonly most?: number;
  /** Ends the run: what is left is blocked. */
  readonly signal: AbortSignal;
  onCheck(check: Check): void;
  onVerdict(verdict: Verdict): void;
}

/**
 * Runs checks one after another: those of the level must first, so that nothing that the others do to the
 * server can decide whether it fulfils the task. A server that dies is blamed in the check that kills it,
 * and started again if it was started here; what needs a check that failed is blocked. After
 * five minutes (times the slow factor) the rest cannot be told.
 *
 * @returns the verdicts, in the order of `checks`
 * @throws NotThere when there is nobody to judge
 */
export async function judge(
  contestant: Contestant,
  checks: readonly Check[],
  circumstances: Circumstances,
): Promise<Account> {
  try {
    return await new Trial(contestant, checks, circumstances).run();
  } finally {
    await contestant.stop();
  }
}

class Trial {
  readonly #contestant: Contestant;
  readonly #checks: readonly Check[];
  readonly #circumstances: Circumstances;
  readonly #verdicts = new Map<string, Verdict>();
  /** What stays open for checks that have not run yet. */
  readonly #prepared = new Map<Check, Preparation>();
  #target!: Target;
  /** The address at which it answered. */
  #host: string | undefined;
  #roundTrip: number | undefined;
  #lineEnds: LineEnds | undefined;
  #patience = PATIENCE;
  #deadline = Number.POSITIVE_INFINITY;
  /** Why nothing more can be asked of the server. */
  #over: string | undefined;
  /** The check that was run last. */
  #previous: Check | undefined;

  constructor(contestant: Contestant, checks: readonly Check[], circumstances: Circumstances) {
    this.#contestant = contestant;
    this.#checks = checks;
    this.#circumstances = circumstances;
  }

  async run(): Promise<Account> {
    const { slowFactor, most = LONGEST_RUN } = this.#circumstances;
    await this.#start();
    if (!this.#over) {
      this.#deadline = performance.now() + most * Math.max(1, slowFactor);
      this.#roundTrip = await this.#meet(PATIENCE * slowFactor);
      this.#patience = Math.max(PATIENCE, ROUND_TRIPS * (this.#roundTrip ?? 0)) * slowFactor;
      this.#lineEnds = await lineEndsOf(this.#target, Math.max(1000, 20 * (this.#roundTrip ?? 0)));
    }
    for (const check of inOrder(this.#checks)) {
      await this.#judge(check);
      await this.#prepare();
    }
    const verdicts = this.#checks.map(({ id }) => this.#verdicts.get(id) as Verdict);
    const lineEnds = this.#lineEnds;
    return { contestant: this.#contestant, verdicts, roundTrip: this.#roundTrip, lineEnds };
  }

  /** The first visit: at which address it answers, and how fast. */
  async #meet(timeout: number): Promise<number | undefined> {
    for (const host of [this.#target.host, ...(this.#target.otherHosts ?? [])]) {
      const target = { ...this.#target, host };
      const answer = await measureRoundTrip(target, timeout).catch((error: unknown) => error);
      if (answer instanceof ClientError && answer.reason === 'unreachable') continue;
      this.#host = host;
      this.#target = target;
      return typeof answer === 'number' ? answer : undefined;
    }
    return undefined;
  }

  async #judge(check: Check): Promise<void> {
    const { signal } = this.#circumstances;
    if (signal.aborted) this.#over ??= 'the run was interrupted';
    // What is listed as failing is proven to fail, each by itself.
    const missing = this.#contestant.known.has(check.id) ? undefined : this.#missingFor(check);
    const reason = this.#over ?? (missing && `it needs ${missing}`);
    if (reason) return this.#settle(blocked(check, reason));
    if (this.#left() <= 0) {
      const message = `too slow to tell: the time of a run was over`;
      return this.#settle({ ...blocked(check, message), outcome: 'unsupported' });
    }
    this.#circumstances.onCheck(check);
    const known = this.#contestant.known.get(check.id);
    let verdict = await this.#run(check);
    if (check.endsServer)
      return this.#settle(known === undefined ? verdict : asKnown(verdict, known));
    const died = await this.#hasDied(verdict);
    if (died) verdict = await this.#blame(check, verdict, died);
    else verdict = await this.#recover(verdict);
    // To die is another failure than the one that is known.
    if (known !== undefined && !died) verdict = asKnown(verdict, known);
    this.#previous = check;
    return this.#settle(verdict);
  }

  #settle(verdict: Verdict): void {
    this.#verdicts.set(verdict.check.id, verdict);
    this.#circumstances.onVerdict(verdict);
  }

  /** Milliseconds that are left of the run. */
  #left(): number {
    return this.#deadline - performance.now();
  }

  async #run(check: Check): Promise<Verdict> {
    // What is listed as failing is given less time to do so.
    const patience = this.#contestant.known.has(check.id) ? this.#patience / 5 : this.#patience;
    const prepared = this.#prepared.get(check);
    this.#prepared.delete(check);
    const beside = [...this.#prepared.values()].reduce((sum, { scene }) => sum + scene.open, 0);
    const leftovers = { prepared, beside, most: this.#left() };
    return runCheck(check, this.#targetOf(check), patience, this.#pace, leftovers);
  }

  /** The first check alone demands CR LF of a server that ends its lines in another way. */
  #targetOf({ id }: Check): Target {
    return id === FIRST ? this.#target : { ...this.#target, lineEnds: this.#lineEnds };
  }

  get #pace(): number {
    return this.#roundTrip ?? PATIENCE / 20;
  }

  /** Opens what the checks whose needs have passed want to keep open while others run. */
  async #prepare(): Promise<void> {
    for (const check of this.#checks) {
      const isWaiting =
        check.prepare && !this.#verdicts.has(check.id) && !this.#prepared.has(check);
      if (!isWaiting || this.#over || this.#left() <= 0) continue;
      if (this.#contestant.known.has(check.id)) continue;
      if (!needsOf(check).every((id) => this.#hasPassed(id))) continue;
      const preparation = await prepareCheck(
        check,
        this.#targetOf(check),
        this.#patience,
        this.#pace,
      );
      this.#prepared.set(check, preparation);
    }
  }

  /** Whether a check has passed, or was not asked for. */
  #hasPassed(id: string): boolean {
    if (id === FIRST && this.#lineEnds) return true;
    const outcome = this.#verdicts.get(id)?.outcome;
    return outcome ? outcome === 'pass' : !this.#checks.some((check) => check.id === id);
  }

  /** The check that failed and without which this one tells nothing, if there is one. */
  #missingFor(check: Check): string | undefined {
    for (const id of needsOf(check)) {
      if (id === FIRST && this.#lineEnds) continue;
      const verdict = this.#verdicts.get(id);
      if (!verdict) continue;
      const { outcome } = verdict;
      // What is listed as failing, and cannot be told today, has not passed either.
      const isMissing = outcome === 'unsupported' && this.#contestant.known.has(id);
      if (!isMissing && !HAS_FAILED.has(outcome)) continue;
      return outcome === 'blocked' ? this.#missingFor(verdict.check) : id;
    }
    return undefined;
  }

  /** Starts the server, again if need be: what was open is gone, and is opened anew later. */
  async #start(): Promise<void> {
    for (const { scene } of this.#prepared.values()) await scene.leave();
    this.#prepared.clear();
    try {
      const target = await this.#contestant.start(this.#circumstances.signal);
      this.#target = { ...target, host: this.#host ?? target.host };
    } catch (error) {
      const isFirst = this.#verdicts.size === 0;
      if (error instanceof NotThere && isFirst) throw error;
      const why = escapeText((error as Error).message.trim());
      this.#over = isFirst ? why : `it could not be started again: ${why}`;
    }
  }

  /** Why the server has died, if it has: one that was hit may take a moment to fall. */
  async #hasDied({ outcome, isUpsetting }: Verdict): Promise<string | undefined> {
    const until = performance.now() + (outcome !== 'pass' || isUpsetting ? AFTERMATH : 20);
    for (;;) {
      await sleep(20);
      const isLast = performance.now() >= until;
      // To ask a server that was not started here is a visit.
      if (!isLast && !this.#contestant.isOurs) continue;
      const gone = await this.#contestant.gone();
      if (gone || isLast) return gone;
    }
  }

  /**
   * The server has died: is it this check that kills it, or what the check before has left behind? Each is
   * played alone, on a server that was started anew.
   */
  async #blame(check: Check, verdict: Verdict, gone: string): Promise<Verdict> {
    const dead = asDead(verdict, gone, this.#contestant.said);
    if (!this.#contestant.isOurs) {
      this.#over = 'the server is gone';
      return dead;
    }
    await this.#start();
    if (this.#over) return dead;
    const again = await this.#alone(check);
    if (!again || again.died) return dead;
    const before = this.#previous && (await this.#alone(this.#previous));
    if (before?.died) {
      this.#settle(asDead(before.verdict, before.died, before.said));
      return again.verdict;
    }
    const note = 'on a server that was started anew, this check alone does not kill it';
    return { ...dead, message: `${dead.message}\n${note}` };
  }

  /** Plays a check once more; undefined when there is no time for it. */
  async #alone(
    check: Check,
  ): Promise<{ verdict: Verdict; died?: string; said: string } | undefined> {
    if (this.#over || this.#circumstances.signal.aborted || this.#left() <= 0) return undefined;
    const verdict = await this.#run(check);
    const died = await this.#hasDied({ ...verdict, isUpsetting: true });
    const { said } = this.#contestant;
    if (died) await this.#start();
    return { verdict, said, ...(died && { died }) };
  }

  /** The server lives, but may be deaf for a while, or for good: the next check is not to be blamed. */
  async #recover(verdict: Verdict): Promise<Verdict> {
    const { check, outcome, isUpsetting } = verdict;
    if ((outcome === 'pass' && !isUpsetting) || check.id === FIRST) return verdict;
    const most = Math.max(1000, Math.min(this.#patience, this.#left()));
    const obstacle = await isServed(this.#target, most);
    if (obstacle === undefined) return verdict;
    if (this.#contestant.isOurs) await this.#start();
    else this.#over = `the server has not recovered from ${check.id}`;
    if (outcome !== 'pass') return verdict;
    const message = `after this check, a new client is not served: ${obstacle}`;
    return { ...verdict, outcome: 'fail', message };
  }
}

/** What keeps those that need a check from being run. */
const HAS_FAILED: ReadonlySet<string> = new Set(['fail', 'known', 'blocked', 'harness']);

/** The checks that must have passed before one is prepared or run. */
function needsOf({ needs = [], prepare }: Check): readonly string[] {
  return prepare ? [...needs, BESIDE_ANOTHER] : needs;
}

/**
 * By level, and what ends the server last of all; each after what it needs, in it first what bystanders wait for,
 * and last who verifies them.
 */
function inOrder(checks: readonly Check[]): readonly Check[] {
  const awaited = new Set(checks.filter(({ prepare }) => prepare).flatMap(needsOf));
  const turn = ({ id, prepare }: Check) => (prepare ? 2 : awaited.has(id) ? 0 : 1);
  const rank = (check: Check) =>
    3 * (check.endsServer ? LEVELS.length : LEVELS.indexOf(check.level)) + turn(check);
  const order = new Set<Check>();
  const add = (check: Check) => {
    for (const one of checks) if (needsOf(check).includes(one.id)) add(one);
    order.add(check);
  };
  for (const check of [...checks].sort((a, b) => rank(a) - rank(b))) add(check);
  return [...order];
}

function asDead(verdict: Verdict, gone: string, said: string): Verdict {
  const words = lastWords(said);
  const message = `the server died in this check: ${gone}${words && `; it said last:\n${words}`}`;
  return { ...verdict, outcome: 'fail', message, difference: undefined, died: true };
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
