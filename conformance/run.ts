/** Runs one check, and turns whatever happens into a verdict. */
import { ClientError, connect } from '../client/client.ts';
import { type Check, type Difference, Failure, Scene, type Target, Unsupported } from './check.ts';

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
}

/** How long a check may take in all, as a multiple of how long it waits for one thing … */
const BOUND = 12;
/** … and in round trips, since the longest checks need a thousand, one after another … */
const ROUND_TRIPS = 3000;
/** … but this many milliseconds at most, unless patience alone is more. */
const LONGEST = 300_000;

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
): Promise<Verdict> {
  const scene = new Scene(target, patience, roundTrip);
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    const most = Math.max(BOUND * patience, Math.min(ROUND_TRIPS * roundTrip, LONGEST));
    timer = setTimeout(() => {
      const silence = scene.transcript.sinceLast('receives');
      const seconds = Math.round(most / 1000);
      const stillComing = `too slow to tell: answers were still coming after ${seconds} s`;
      // Every single wait is bounded: who has got this far has mostly been right so far.
      if (silence < patience) reject(new Unsupported(stillComing));
      else
        reject(
          new Failure(
            `not done after ${seconds} s, and nothing came for ${Math.round(silence)} ms`,
          ),
        );
    }, most);
  });
  const running = check.run(scene);
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
  } finally {
    clearTimeout(timer);
    await scene.leave();
  }
  const milliseconds = Math.round(performance.now() - startedAt);
  const transcript = scene.transcript.toString();
  return { check, outcome, message, difference, milliseconds, transcript };
}

/** Errors of a connect that are this machine's shortage, not the server's doing. */
const OURS = /\b(EMFILE|ENFILE|EADDRNOTAVAIL|ENOBUFS|ENOMEM)\b/;

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Unsupported) return 'unsupported';
  if (error instanceof Failure) return 'fail';
  if (!(error instanceof ClientError)) return 'harness';
  return error.reason === 'unreachable' && OURS.test(error.message) ? 'harness' : 'fail';
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
    await client.close();
  }
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}
