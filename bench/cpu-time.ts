/** The CPU time of other processes, from their CPU clocks (clock_getcpuclockid(3)), in nanoseconds. */
import { addressOf, cFunction } from '../sockets/libc.ts';

const clockOf = cFunction('int clock_getcpuclockid(int, uintptr_t)');
const timeOf = cFunction('int clock_gettime(int, uintptr_t)');

/** One clockid_t, then one timespec. */
const memory = Buffer.allocUnsafeSlow(24);
const address = addressOf(memory);

/**
 * Seconds of CPU time that processes have used so far, in user mode and in the kernel, with all their threads,
 * ended ones as well. (/proc/PID/stat counts in steps of 10 ms.)
 *
 * @throws Error when one of them is not there
 */
export function cpuSeconds(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    if (clockOf(pid, address) !== 0 || timeOf(memory.readInt32LE(0), address + 8) !== 0) {
      throw new Error(`process ${pid} has no CPU clock: it has ended`);
    }
    sum += Number(memory.readBigInt64LE(8)) + Number(memory.readBigInt64LE(16)) / 1e9;
  }
  return sum;
}
