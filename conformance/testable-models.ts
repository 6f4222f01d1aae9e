/** For tests only: the suite itself makes no system calls. */
import { whyNoIoUring } from '../sockets/io-uring.ts';
import { descriptorLimitOf } from './footprint.ts';
import { modelNames } from './models.ts';

/** The models that can run on this machine. Where the system forbids io_uring, it leaves that model out and says so. */
export function testableModels(): string[] {
  const reason = whyNoIoUring();
  if (reason === undefined) return modelNames();
  console.warn(`io-uring is not tested here: ${reason}`);
  return modelNames().filter((name) => name !== 'io-uring');
}

/** Whether the tests are to spare no model: `MODELS=all` in the environment. */
export const asksAll = process.env.MODELS === 'all';

/** The models in which each client costs a thread or a process, and so each visit some 30 or 70 ms of CPU time. */
const COSTLY_CLIENTS = ['process-per-connection', 'thread-per-connection'];

/** Checks with a few visits each: together they cost each of these models two or three seconds. */
const FEW_VISITS = [
  /^framing\/(one-line|many-lines-in-order|one-byte|partial|crlf)/,
  /^limits\/(longest-line|line-too-long)$/,
  /^half-close\/(answers|tail)/,
  /^concurrency\/(second|waiting|beside-one-partial)/,
  /^slow-readers\/(beside-one|resumes)/,
  /^resets\/connect/,
];

/** Checks that bring a thousand clients at once. */
const THOUSAND = ['concurrency/thousand-open', 'concurrency/beyond-1024-descriptors'];

/** How many come at once in models/crowds.test.ts. */
export const CROWD = 10_000;

/** Node has raised its soft limit to the hard one. */
const hasRoom = (descriptorLimitOf('self') ?? Number.POSITIVE_INFINITY) > CROWD + 500;

/** The models that meet a crowd: not who serves one client at a time, nor where each client is costly. */
export const crowdedModels = testableModels().filter(
  (name) => hasRoom && name !== 'blocking' && !COSTLY_CLIENTS.includes(name),
);

/**
 * Whether the tests ask this check of this model. Where clients are costly, they ask only those with few visits.
 * Who meets ten thousand clients in another test need not meet a thousand here. `MODELS=all` in the environment
 * makes them ask all, as `npm run conformance` does.
 */
export function isAsked(model: string, check: string): boolean {
  if (asksAll) return true;
  if (COSTLY_CLIENTS.includes(model)) return FEW_VISITS.some((pattern) => pattern.test(check));
  return !(THOUSAND.includes(check) && crowdedModels.includes(model));
}
