/** Runs one check, and turns whatever happens into a verdict. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterLastLook, ClientError, connect } from '../client/client.ts';
import { type Check, type Difference, Failure, Scene, type Target, Unsupported } from './check.ts';
import type { LineEnds } from './lens.ts';

/**
 * `pass`; `fail`: the server is wrong; `known`: it fails, and is listed as failing; `stale`: it is
 * listed as failing, and passes; `unsupported`: it cannot be told here; `harness`: the check itself
 * broke, which says nothing about the server; `blocked`: not run, for want of something else.
 */
export type Outcome = 'pass' | 'fail' | 'known' | 'stale' | 'unsupported' | 'harness' | 'blocked';

export interface Verdict {
  readonly check: Check;
  readonly outcome: Outcome;
  /** What was expected and what came; after a pass, what was measured, if anything was. */
  readonly message: string;
  /** The first wrong byte, where there is one. */
  readonly difference?: Difference | undefined;
  readonly milliseconds: number;
  /** Who sent what when, escaped and shortened. */
  readonly transcript: string;
  /** Whether it cut a connection, or sent so much that the server may fall behind. */
  readonly isUpsetting?: boolean;
  /** Whether the server died in it. */
  readonly died?: boolean;
}

/** How long a check may take in all, as a multiple of how long it waits for one thing … */
const BOUND = 12;
/** … and in round trips, since the longest checks need a thousand, one after another … */
const ROUND_TRIPS = 3000;
/** … but this many milliseconds at most, unless patience alone is more. */
const LONGEST = 300_000;

/** What a check's `prepare` has opened, or why it could not. */
export interface Preparation {
  readonly scene: Scene;
  readonly error?: unknown;
}

/** What a check is given besides. */
export interface Leftovers {
  /** What its `prepare` has opened; absent, it is prepared now. */
  readonly prepared?: Preparation | undefined;
  /** How many connections of bystanders are open meanwhile. */
  readonly beside?: number;
  /** How long it may take in any case, in milliseconds. */
  readonly most?: number;
}

/** Opens what a check keeps open while others run. */
export async function prepareCheck(
  check: Check,
  target: Target,
  patience: number,
  roundTrip: number,
): Promise<Preparation> {
  const scene = new Scene(target, patience, roundTrip);
  try {
    await check.prepare?.(scene);
  } catch (error) {
    return { scene, error };
  } finally {
    scene.isPrepared();
  }
  return { scene };
}

/**
 * Runs one check on connections of its own, which it leaves in order.
 *
 * @param patience - milliseconds to wait for something that should happen
 * @param roundTrip - milliseconds, as `measureRoundTrip` found it
 */
export async function runCheck(
  check: Check,
  target: Target,
  patience: number,
  roundTrip: number,
  { prepared, beside = 0, most: left = Number.POSITIVE_INFINITY }: Leftovers = {},
): Promise<Verdict> {
  const { scene, error: obstacle } =
    prepared ?? (await prepareCheck(check, target, patience, roundTrip));
  scene.beside = beside;
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    const most = Math.max(BOUND * patience, Math.min(ROUND_TRIPS * roundTrip, LONGEST));
    const giveUp = () => {
      const seconds = Math.round(Math.min(most, left) / 1000);
      const silence = scene.silence;
      // Every single wait is bounded: who has got this far has mostly been right so far.
      if (silence < patience)
        reject(new Unsupported(`too slow to tell: answers were still coming after ${seconds} s`));
      else if (left < most) reject(new Unsupported('too slow to tell: the time of a run was over'));
      else
        reject(
          new Failure(
            `not done after ${seconds} s, and nothing came in the last ${Math.round(silence / 1000)} s`,
          ),
        );
    };
    timer = setTimeout(afterLastLook, Math.min(most, left), giveUp);
  });
  const running = obstacle ? Promise.reject(obstacle) : check.run(scene);
  running.catch(() => undefined); // it may end after its bound
  let outcome: Outcome = 'pass';
  let message = '';
  let difference: Difference | undefined;
  try {
    message = (await Promise.race([running, bound])) ?? '';
  } catch (error) {
    outcome = outcomeOf(error);
    if (error instanceof Failure) difference = error.difference;
    message = outcome === 'harness' ? String((error as Error).stack) : (error as Error).message;
    if (isOurs(error)) message = `this machine, not the server, ran out: ${message} (ulimit -n?)`;
  } finally {
    clearTimeout(timer);
  }
  const { isUpsetting } = scene;
  await scene.leave();
  const milliseconds = Math.round(performance.now() - startedAt);
  const transcript = scene.transcript.toString();
  return { check, outcome, message, difference, milliseconds, transcript, isUpsetting };
}

/** How long a server may take to close its side when a client has left, in milliseconds. */
const FAREWELL = 300;

/** Errors of a connect that are this machine's shortage, not the server's doing. */
const OURS = /\b(EMFILE|ENFILE|EADDRNOTAVAIL|ENOBUFS|ENOMEM)\b/;

function isOurs(error: unknown): boolean {
  return error instanceof ClientError && error.reason === 'unreachable' && OURS.test(error.message);
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Unsupported) return 'unsupported';
  if (error instanceof Failure) return 'fail';
  if (!(error instanceof ClientError)) return 'harness';
  return isOurs(error) ? 'unsupported' : 'fail';
}

/**
 * Whether somebody who comes now gets an answer, right or wrong.
 *
 * @param most - how long to try, in milliseconds
 * @returns why not; undefined when it is so
 */
export async function isServed({ host, port }: Target, most: number): Promise<string | undefined> {
  const deadline = performance.now() + most;
  for (;;) {
    const timeout = Math.max(1, deadline - performance.now());
    try {
      const client = await connect({ host, port, name: 'newcomer', timeout });
      try {
        await client.send('ping\r\n', { timeout });
        await client.receive(1, { timeout });
        return undefined;
      } finally {
        await client.close({ timeout: FAREWELL });
      }
    } catch (error) {
      if (performance.now() > deadline - 100) return (error as Error).message;
      await sleep(100);
    }
  }
}

/**
 * How a server ends its lines, where that is not CR LF in and out, and it answers as an echo otherwise.
 *
 * @param timeout - how long an answer may take, in milliseconds
 */
export async function lineEndsOf(target: Target, timeout: number): Promise<LineEnds | undefined> {
  const word = 'how do lines end?';
  const answer = await answerTo(target, `${word}\r\n`, timeout);
  if (answer === `${word}\r\n`) return undefined;
  if (answer === `${word}\n`) return 'out';
  return (await answerTo(target, `${word}\n`, timeout)) === `${word}\n` ? 'both' : undefined;
}

/** What comes for a line, when that is as long or one byte shorter. */
async function answerTo({ host, port }: Target, line: string, timeout: number): Promise<string> {
  try {
    const client = await connect({ host, port, timeout });
    await client.send(line);
    const answer: Buffer[] = [];
    const take = async (most: number, wait: number) => {
      const bytes = await client.receive(most, { timeout: wait }).catch(() => undefined);
      if (bytes) answer.push(bytes);
    };
    await take(line.length - 1, timeout);
    if (answer.length > 0) await take(1, Math.min(timeout, 200));
    await client.close({ timeout: FAREWELL });
    return Buffer.concat(answer).toString('latin1');
  } catch {
    return '';
  }
}

/**
 * The median time to the first byte of an answer to a short line, in milliseconds. Whether the answer
 * is right is not its concern.
 *
 * @throws ClientError when one takes longer than `timeout` milliseconds, or the connection ends
 */
export async function measureRoundTrip({ host, port }: Target, timeout = 10_000): Promise<number> {
  const client = await connect({ host, port, name: 'round trip', timeout });
  const times: number[] = [];
  try {
    const deadline = performance.now() + 2000;
    while (times.length < 21 && (times.length === 0 || performance.now() < deadline)) {
      const sentAt = performance.now();
      await client.send('ping\r\n');
      await client.receive(1);
      const time = performance.now() - sentAt;
      times.push(time);
      // The rest belongs to this answer, not to the next: if it does not come, this was the last.
      const rest = client.receive(5, { timeout: Math.max(100, 10 * time) });
      if (!(await rest.catch(() => undefined))) break;
    }
  } finally {
    await client.close({ timeout: FAREWELL });
  }
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}
