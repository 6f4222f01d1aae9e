/**
 * `--work`: a line may cost CPU. What burns it here is a loop of arithmetic whose length is measured
 * once, so that a millisecond of work stays the same work when threads or processes compete for the
 * cores. A clock would not do: it runs on while the thread waits for a core.
 */

import { channel } from 'node:diagnostics_channel';

/** What `burn` publishes: the calling thread begins, or has ended, to pay for a line. */
export interface LineCost {
  readonly line: Uint8Array;
  readonly begins: boolean;
}

/**
 * Tells an observer inside the process which line its thread is paying for: the one fact that nobody
 * can see from outside. Without a subscriber it costs the look at one field.
 */
const lineCost = channel('line-echo:cost');

/** Keeps the arithmetic from being optimised away. */
let sink = 0;

function spin(rounds: number): void {
  let x = sink | 1;
  for (let i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  sink = x;
}

/**
 * How many rounds fill one millisecond of CPU here: the best of several tries, because whatever
 * disturbs a try makes it look slower. Takes some 50 ms.
 */
export function measureSpeed(): number {
  const rounds = 2_000_000;
  spin(rounds); // let the compiler see it first
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 8; attempt++) {
    const before = process.cpuUsage();
    spin(rounds);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return rounds / best;
}

/**
 * Burns CPU on the calling thread, for one line.
 *
 * @param milliseconds - how much, 0 or more
 * @param speed - what `measureSpeed` returned, in this process or in the one that started it
 */
export function burn(line: Uint8Array, milliseconds: number, speed: number): void {
  if (lineCost.hasSubscribers) lineCost.publish({ line, begins: true } satisfies LineCost);
  spin(milliseconds * speed);
  if (lineCost.hasSubscribers) lineCost.publish({ line, begins: false } satisfies LineCost);
}
