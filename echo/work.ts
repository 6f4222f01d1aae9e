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

/** Some 0.2 ms of `spin`: how exactly a measurement meets the ticks of the CPU clock. */
const SLICE = 100_000;

/** What one try has to measure at least, in microseconds of CPU. */
const TRY_US = 5000;

/**
 * How many rounds fill one millisecond of CPU here: the best of several tries, because whatever
 * disturbs a try makes it look slower. Takes some 50 ms, more where the CPU clock is coarse.
 */
export function measureSpeed(): number {
  for (let i = 0; i < 20; i++) spin(SLICE); // let the compiler see it first
  return Math.max(...Array.from({ length: 8 }, measureOnce));
}

/** From one tick of the CPU clock to another: some systems count in steps of 16 ms. */
function measureOnce(): number {
  const before = cpuTime();
  let begin = before;
  while (begin === before) {
    spin(SLICE);
    begin = cpuTime();
  }
  let [rounds, now] = [0, begin];
  while (now - begin < TRY_US) {
    spin(SLICE);
    rounds += SLICE;
    now = cpuTime();
  }
  return (1000 * rounds) / (now - begin);
}

/** Microseconds of CPU that this process has used. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
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
