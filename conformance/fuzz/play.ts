/** Plays a script against a server, and compares what each client gets with the oracle. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { type Client, escapeShortened } from '../../client/client.ts';
import { isSupported } from '../../sockets/index.ts';
import { Failure, Scene, type Target } from '../check.ts';
import type { Contestant } from '../contestants.ts';
import { expectEnd, expectSame } from '../expect.ts';
import { answerTo, type Step, script } from './script.ts';

/** How long to wait for an answer, in milliseconds. */
const PATIENCE = 3000;

/** One client of a script: what it has sent decides what it must get. */
interface Player {
  readonly client: Client;
  readonly sent: Buffer[];
  hasEnded: boolean;
}

/** @throws Failure that says who got what instead of what */
async function play(steps: readonly Step[], target: Target): Promise<void> {
  const scene = new Scene(target, PATIENCE, 1);
  const players = new Map<number, Player>();
  try {
    for (const step of steps) await take(step, scene, players);
    // In the order in which they came: a server may serve one after another.
    for (const { client, sent, hasEnded } of players.values()) {
      if (client.ending === 'closed') continue; // it has reset
      client.resume();
      const answer = answerTo(Buffer.concat(sent));
      if (!hasEnded) {
        // A line is answered when it is complete, not when the client has done.
        const lines = await client.receive(answer.length);
        expectSame(answer, lines);
        await client.halfClose();
      }
      await expectEnd(client, hasEnded ? answer : Buffer.alloc(0));
    }
  } catch (error) {
    throw new Failure(`${(error as Error).message}\n${scene.transcript}`);
  } finally {
    await scene.leave();
  }
}

async function take(step: Step, scene: Scene, players: Map<number, Player>): Promise<void> {
  let player = players.get(step.client);
  if (!player) {
    const isNarrow = isSupported && step.client % 2 === 1; // the server cannot leave output to the kernel
    const client = await scene.client(
      `client ${step.client}`,
      isNarrow ? { receiveBuffer: 4096 } : {},
    );
    player = { client, sent: [], hasEnded: false };
    players.set(step.client, player);
  }
  const { client, sent } = player;
  if (client.ending === 'closed') return; // nothing follows a reset
  if (step.does === 'wait') await sleep(step.milliseconds);
  if (step.does === 'pause') client.pause();
  if (step.does === 'resume') client.resume();
  if (step.does === 'reset') await client.reset();
  if (player.hasEnded) return;
  if (step.does === 'send') {
    sent.push(step.bytes);
    await briefly(client.send(step.bytes));
  }
  if (step.does === 'half-close') {
    player.hasEnded = true;
    await briefly(client.halfClose());
  }
}

/** A server need not take what is sent while its answers are not read: the script goes on. */
function briefly(sending: Promise<void>): Promise<void> {
  return Promise.race([sending, sleep(20)]);
}

export interface FuzzOptions {
  readonly runs: number;
  readonly seed?: number | undefined;
  /** Of a run that failed before, with its seed: plays that script alone. */
  readonly path?: string | undefined;
  /** Milliseconds after which no further script is begun. */
  readonly timeLimit?: number | undefined;
  /** Takes the first script that fails, and looks for no smaller one. */
  readonly isAnyEnough?: boolean;
  onRun?(): void;
}

export interface Finding {
  readonly seed: number;
  readonly path: string;
  /** The smallest script that still fails, a step a line. */
  readonly script: string;
  readonly message: string;
}

/**
 * Plays random scripts against a server until one fails, and then looks for a smaller one that does.
 *
 * @returns undefined when none has failed
 */
export async function fuzz(
  contestant: Contestant,
  { runs, seed, path, timeLimit, isAnyEnough = path !== undefined, onRun }: FuzzOptions,
): Promise<Finding | undefined> {
  let target = await contestant.start();
  let played = 0;
  const property = fc.asyncProperty(script, async (steps) => {
    if (path !== undefined && played > 0) return; // a path leads on to the script's smaller kin
    played++;
    onRun?.();
    let failure: unknown;
    await play(steps, target).catch((error) => {
      failure = error;
    });
    if (steps.some(({ does }) => does === 'reset')) await sleep(10); // it may take a moment to fall
    const gone = await contestant.gone();
    if (gone) failure = new Failure(`the server died: ${gone}`);
    if (!failure) return;
    // What is left of this script must not spoil a smaller one.
    if (!isAnyEnough) target = await contestant.start();
    throw failure;
  });
  try {
    const outcome = await fc.check(property, {
      numRuns: runs,
      ...(seed !== undefined && { seed }),
      ...(path !== undefined && { path }),
      endOnFailure: isAnyEnough,
      ...(timeLimit !== undefined && { interruptAfterTimeLimit: timeLimit }),
    });
    if (!outcome.failed || !outcome.counterexample) return undefined;
    return {
      seed: outcome.seed,
      path: outcome.counterexamplePath ?? '',
      script: outcome.counterexample[0].map(asLine).join('\n'),
      message: String((outcome.errorInstance as Error)?.message ?? ''),
    };
  } finally {
    await contestant.stop();
  }
}

function asLine(step: Step): string {
  const what =
    step.does === 'send'
      ? `sends "${escapeShortened(step.bytes)}"`
      : {
          pause: 'stops reading',
          resume: 'reads on',
          'half-close': 'sends FIN',
          reset: 'sends RST',
          wait: 'waits',
        }[step.does];
  return `client ${step.client} ${what}${step.does === 'wait' ? ` ${step.milliseconds} ms` : ''}`;
}
