/**
 * `--work` makes a line cost CPU time, in a loop of arithmetic. At the start it is measured once how many rounds
 * of the loop take a millisecond. So a millisecond of work stays the same work when threads or processes compete
 * for the cores. A loop that watches the clock would not: the clock goes on while the thread waits for a core.
 */

import { channel } from 'node:diagnostics_channel';

/** What `burn` publishes: the calling thread begins or ends its work for a line. */
export interface LineCost {
  readonly line: Uint8Array;
  readonly begins: boolean;
}

/**
 * Tells an observer in this process which line its thread works for, which cannot be seen from outside. Without a
 * subscriber it costs next to nothing.
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

/** Rounds between two readings of the CPU clock, some 0.2 ms: they bound the error of a measurement. */
const SLICE = 100_000;

/** The least CPU time that one measurement takes, in microseconds. */
const TRY_US = 5000;

/**
 * Measures how many rounds take one millisecond of CPU time: the most of several measurements, because any
 * disturbance lowers the number. It takes some 50 ms, more where the CPU clock is coarse.
 */
export function measureSpeed(): number {
  for (let i = 0; i < 20; i++) spin(SLICE); // warm-up, so that the loop is compiled
  return Math.max(...Array.from({ length: 8 }, measureOnce));
}

/** Measures from one tick of the CPU clock to another, because some systems count in steps of 16 ms. */
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
 * Burns CPU time on the calling thread, for one line.
 *
 * @param milliseconds - how much, 0 or more
 * @param speed - what `measureSpeed` returned, in this process or in the one that started it
 */
export function burn(line: Uint8Array, milliseconds: number, speed: number): void {
  if (lineCost.hasSubscribers) lineCost.publish({ line, begins: true } satisfies LineCost);
  spin(milliseconds * speed);
  if (lineCost.hasSubscribers) lineCost.publish({ line, begins: false } satisfies LineCost);
}
