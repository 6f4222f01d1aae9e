import { SocketError } from './errors.ts';
import { cFunction, EINTR, errno } from './libc.ts';
import { INTERRUPTED } from './socket.ts';

const c_nanosleep = cFunction('int nanosleep(const void *, void *)');

/**
 * Sleeps in the kernel, and the whole thread with it (nanosleep(2)).
 *
 * @param milliseconds - 0 or more, rounded up to whole nanoseconds
 * @returns 0 when the time is over; `INTERRUPTED` when a signal came first
 * @throws RangeError when it is not a number
 */
export function nanosleep(milliseconds: number): number {
  const nanoseconds = Math.ceil(milliseconds * 1e6);
  const timespec = Buffer.alloc(16);
  timespec.writeBigInt64LE(BigInt(Math.floor(nanoseconds / 1e9)), 0);
  timespec.writeBigInt64LE(BigInt(nanoseconds % 1e9), 8);
  if (c_nanosleep(timespec, null) === 0) return 0;
  const error = errno();
  if (error === EINTR) return INTERRUPTED;
  throw new SocketError('nanosleep', error);
}
