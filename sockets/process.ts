/** The end of a process that has been left alone (prctl(2)). Linux only. */
import { cFunction } from './libc.ts';

const c_prctl = cFunction(
  'int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)',
);

/** From linux/prctl.h: a signal for this process when its parent ends, however that happens. */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/**
 * The kernel kills this process when its parent has ended, even if that was killed and could tell nobody.
 *
 * @param parent - the parent's pid. If it has ended already, this process ends at once.
 */
export function dieWithParent(parent: number): void {
  c_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (process.ppid !== parent) process.exit(1);
}
