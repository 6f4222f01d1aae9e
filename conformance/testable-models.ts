/** For tests only: the suite itself makes no system calls. */
import { whyNoIoUring } from '../sockets/io-uring.ts';
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

/**
 * Whether `npm test` asks this check of this model. Where clients are costly, it asks only those with few visits;
 * `MODELS=all` in the environment makes it ask all, as `npm run conformance` does.
 */
export function isAsked(model: string, check: string): boolean {
  const isCostly = COSTLY_CLIENTS.includes(model) && !asksAll;
  return !isCostly || FEW_VISITS.some((pattern) => pattern.test(check));
}
