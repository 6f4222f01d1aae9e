/**
 * The C library, as functions. koffi finds the symbols in the running process (libc is already in
 * it) and calls them: each call below is one real call into libc, and from there into the kernel.
 *
 * A call costs about 250 ns on top of the system call itself. What keeps it that low is passing
 * addresses as plain numbers.
 */
import os from 'node:os';
import { isSupported, requirement } from './platform.ts';

type CFunction = (...args: (number | bigint | string | Buffer | null)[]) => number;

const koffi = isSupported ? (await import('koffi')).default : undefined;
const library = koffi?.load(null);

/**
 * Finds a C function in the running process.
 *
 * @param declaration - as in C; a pointer that is passed often is best declared `uintptr_t`
 * @returns the function; on an unsupported platform, one that throws `ERR_UNSUPPORTED_PLATFORM`
 */
export function cFunction(declaration: string): CFunction {
  return (
    library?.func(declaration) ??
    (() => {
      throw Object.assign(new Error(requirement), { code: 'ERR_UNSUPPORTED_PLATFORM' });
    })
  );
}

/**
 * The error number of the call that has just failed. Any other JavaScript in between may clobber
 * it: libuv makes system calls of its own.
 */
export function errno(): number {
  return koffi?.errno() ?? 0;
}

/**
 * The address of a buffer's first byte. Whoever keeps it must keep the buffer too, or the garbage
 * collector gives the memory to somebody else. An address is below 2^47: a number holds it exactly.
 */
export function addressOf(buffer: Buffer): number {
  return Number(koffi?.address(buffer) ?? 0n);
}

let lastBuffer: Buffer | undefined;
let lastAddress = 0;

/**
 * As `addressOf`, for a buffer that is used again and again, as a server's receive buffer is: the
 * question costs as much as a short system call, so the last answer is kept, with its buffer.
 */
export function addressOfSame(buffer: Buffer): number {
  if (buffer !== lastBuffer) {
    lastAddress = addressOf(buffer);
    lastBuffer = buffer;
  }
  return lastAddress;
}

/** Error numbers that are ordinary results of a call, not failures. */
export const { EAGAIN, EINTR, EINPROGRESS, EALREADY } = os.constants.errno;
