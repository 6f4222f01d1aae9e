/** Runs checks, one after another, and turns whatever happens into a verdict. */
import { ClientError, connect } from '../client/client.ts';
import { type Check, Failure, Scene, type Target, Unsupported } from './check.ts';

/**
 * `pass`; `fail`: the server is wrong; `unsupported`: this machine cannot tell; `harness`: the check
 * itself broke, which says nothing about the server.
 */
export type Outcome = 'pass' | 'fail' | 'unsupported' | 'harness';

export interface Verdict {
  readonly check: Check;
  readonly outcome: Outcome;
  /** What was expected and what came; empty after a pass. */
  readonly message: string;
  readonly milliseconds: number;
  /** Who sent what when, escaped and shortened. */
  readonly transcript: string;
}

/** How long a check may take in all, as a multiple of how long it waits for one thing. */
const BOUND = 12;

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
    const tooLong = new Failure(`not done after ${(BOUND * patience) / 1000} s`);
    timer = setTimeout(() => reject(tooLong), BOUND * patience);
  });
  const running = check.run(scene);
  running.catch(() => undefined); // it may end after its bound
  let outcome: Outcome = 'pass';
  let message = '';
  try {
    await Promise.race([running, bound]);
  } catch (error) {
    outcome = outcomeOf(error);
    message = outcome === 'harness' ? String((error as Error).stack) : (error as Error).message;
  } finally {
    clearTimeout(timer);
    await scene.leave();
  }
  const milliseconds = Math.round(performance.now() - startedAt);
  return { check, outcome, message, milliseconds, transcript: scene.transcript.toString() };
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Unsupported) return 'unsupported';
  return error instanceof Failure || error instanceof ClientError ? 'fail' : 'harness';
}

/** The median round trip of a short line on this server, in milliseconds. */
export async function measureRoundTrip({ host, port }: Target): Promise<number> {
  const client = await connect({ host, port, name: 'round trip' });
  const times: number[] = [];
  for (let i = 0; i < 21; i++) {
    const sentAt = performance.now();
    await client.send('ping\r\n');
    await client.receive(6);
    times.push(performance.now() - sentAt);
  }
  await client.close();
  return times.sort((a, b) => a - b)[10] as number;
}
