/**
 * The C library, as functions. koffi finds the symbols in the running process, which contains libc, and
 * calls them: each call is one real call into libc, and from there into the kernel.
 *
 * A call costs about 250 ns on top of the system call itself. It is that cheap because addresses are passed
 * as plain numbers.
 */
import os from 'node:os';

import { SocketError } from './errors.ts';
import { isSupported, requirement } from './platform.ts';

type CFunction = (...args: (number | bigint | string | Buffer | null)[]) => number;

const koffi = isSupported ? (await import('koffi')).default : undefined;
const library = koffi?.load(null);

/**
 * Finds a C function in the running process.
 *
 * @param declaration - as in C; a pointer that is passed often is best declared `uintptr_t`
 * @returns the function; where there is none, one that throws `ERR_UNSUPPORTED_PLATFORM`
 */
export function cFunction(declaration: string): CFunction {
  try {
    if (library) return library.func(declaration);
  } catch {
    const [, name] = /(\w+)\(/.exec(declaration) ?? [];
    return unsupported(`${name} is not in the C library of this system (${process.platform})`);
  }
  return unsupported(requirement);
}

/** A function that says why it cannot be called. */
function unsupported(message: string): CFunction {
  return () => {
    throw Object.assign(new Error(message), { code: 'ERR_UNSUPPORTED_PLATFORM' });
  };
}

/**
 * The error number of the call that has just failed. To be read at once: libuv makes system calls of its own,
 * which overwrite it.
 */
export function errno(): number {
  return koffi?.errno() ?? 0;
}

/**
 * The address of a buffer's first byte. Keep a reference to the buffer as long as the address is used, or the
 * garbage collector frees its memory. An address is below 2^47, so a number holds it exactly.
 */
export function addressOf(buffer: Buffer): number {
  return Number(koffi?.address(buffer) ?? 0n);
}

let lastBuffer: Buffer | undefined;
let lastAddress = 0;

/**
 * As `addressOf`, for a buffer that is used again and again, such as a receive buffer. `addressOf` costs as much
 * as a short system call, so the last address is kept, with its buffer.
 */
export function addressOfSame(buffer: Buffer): number {
  if (buffer !== lastBuffer) {
    lastAddress = addressOf(buffer);
    lastBuffer = buffer;
  }
  return lastAddress;
}

const mmap = cFunction('intptr_t mmap(uintptr_t, size_t, int, int, int, size_t)');
const PROT_READ_AND_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_ANONYMOUS = 0x20; // Linux
const MAP_POPULATE = 0x8000; // Linux

/**
 * Maps memory into the process, for good (mmap(2)): shared with the kernel through a descriptor, or new
 * pages of zeros. Linux only.
 *
 * @param size - in bytes
 * @param fd - what to map; -1 for new memory
 * @returns its address
 * @throws SocketError ENOMEM …
 */
export function mapMemory(size: number, fd = -1, offset = 0): number {
  const flags = MAP_SHARED | MAP_POPULATE | (fd < 0 ? MAP_ANONYMOUS : 0);
  const address = mmap(0, size, PROT_READ_AND_WRITE, flags, fd, offset);
  if (address === -1) throw new SocketError('mmap', errno());
  return address;
}

/** Memory outside of JavaScript as an ArrayBuffer: the same bytes, not a copy. */
export function view(address: number, size: number): ArrayBuffer {
  if (!koffi) throw new Error('there is no memory to look at without koffi');
  return koffi.view(BigInt(address), size);
}

/** Error numbers that are ordinary results of a call, not failures. */
export const {
  EAGAIN,
  EALREADY,
  EBUSY,
  ECANCELED,
  ECONNRESET,
  EINPROGRESS,
  EINTR,
  ENOBUFS,
  ETIME,
} = os.constants.errno;
