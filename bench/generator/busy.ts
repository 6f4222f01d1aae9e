/** How much of the time the generator itself has something to do. */
import { readFileSync } from 'node:fs';

/**
 * Seconds that this process ran so far, or could have run and waited for its core. On a core that it
 * shares with the server it never runs all the time, and yet may be what limits a figure.
 */
export function busySeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + waitingSeconds();
}

/** Seconds in the run queue of a core so far (Documentation/scheduler/sched-stats.rst); 0 where nobody counts them. */
function waitingSeconds(): number {
  try {
    const [, waited = 0] = readFileSync('/proc/self/schedstat', 'utf8').split(' ').map(Number);
    return waited / 1e9;
  } catch {
    return 0; // a kernel without CONFIG_SCHED_INFO
  }
}
