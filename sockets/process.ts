/** The end of a process: with all its threads (_exit(2)), or with its parent (prctl(2), Linux only). */
import { cFunction } from './libc.ts';

const c_prctl = cFunction(
  'int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)',
);

const c_exit = cFunction('int _exit(int)');

/**
 * Ends the process at once (_exit(2)), whatever its threads do. process.exit waits for them, and a thread in a system
 * call cannot be ended; one that is just loading native code could make it abort.
 */
export function exitNow(code: number): void {
  c_exit(code);
}

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
