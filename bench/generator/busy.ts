/** How much of the time the generator itself has something to do. */
import { readFileSync } from 'node:fs';

/**
 * Seconds that this process has been running or ready to run. On a core that it shares with the server, it cannot
 * run all the time, and yet it may be the limit of a figure.
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
