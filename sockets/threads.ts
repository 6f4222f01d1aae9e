/**
 * Waking a thread that waits in a system call. Nobody can end such a wait from JavaScript. A signal that is
 * sent to that one thread can: the call returns `INTERRUPTED` (signal(7)). Linux only.
 */
import { SocketError } from './errors.ts';
import { cFunction, errno } from './libc.ts';

const c_gettid = cFunction('int gettid()');
const c_tgkill = cFunction('int tgkill(int, int, int)');

/** SIGUSR2; its number on every processor that `sockets/` supports. */
const SIGUSR2 = 12;

/** The calling thread's id, as in /proc/PID/task (gettid(2)). */
export function gettid(): number {
  return c_gettid();
}

/**
 * Interrupts the system call in which a thread of this process waits (tgkill(2), SIGUSR2). A socket's call is
 * interrupted only if it has a timeout (SO_RCVTIMEO, SO_SNDTIMEO); without one it is restarted. A thread that is
 * just about to wait is not reached: call this again until the thread has answered.
 *
 * @param thread - what `gettid` returned there; one that has ended counts as woken
 */
export function wake(thread: number): void {
  if (c_tgkill(process.pid, thread, SIGUSR2) === 0) return;
  const error = new SocketError('tgkill', errno());
  if (error.code !== 'ESRCH') throw error;
}
