/**
 * What /proc/PID/task/TID/syscall says (proc(5)), as a call by its name and its arguments.
 *
 * The numbers are those of the machine: x86-64 has its own table (syscalls(2)), arm64 the generic one, in
 * which the old calls are absent: there poll(2) is ppoll, epoll_wait(2) is epoll_pwait.
 */

/**
 * Calls by the name of the manual page that documents them: recvfrom(2), which is how the C library
 * makes recv(2), is `recv`.
 */
const NUMBERS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  x64: {
    0: 'read',
    1: 'write',
    7: 'poll',
    19: 'readv',
    20: 'writev',
    23: 'select',
    34: 'pause',
    35: 'nanosleep',
    40: 'sendfile',
    42: 'connect',
    43: 'accept',
    44: 'send',
    45: 'recv',
    46: 'sendmsg',
    47: 'recvmsg',
    61: 'wait',
    128: 'sigtimedwait',
    130: 'sigsuspend',
    202: 'futex',
    219: 'restart_syscall',
    230: 'nanosleep',
    232: 'epoll_wait',
    247: 'wait',
    270: 'select',
    271: 'poll',
    275: 'splice',
    281: 'epoll_wait',
    288: 'accept',
    299: 'recvmmsg',
    426: 'io_uring_enter',
    441: 'epoll_wait',
    449: 'futex',
  },
  arm64: {
    22: 'epoll_wait',
    63: 'read',
    64: 'write',
    65: 'readv',
    66: 'writev',
    71: 'sendfile',
    72: 'select',
    73: 'poll',
    76: 'splice',
    95: 'wait',
    98: 'futex',
    101: 'nanosleep',
    115: 'nanosleep',
    128: 'restart_syscall',
    133: 'sigsuspend',
    137: 'sigtimedwait',
    202: 'accept',
    203: 'connect',
    206: 'send',
    207: 'recv',
    211: 'sendmsg',
    212: 'recvmsg',
    242: 'accept',
    243: 'recvmmsg',
    260: 'wait',
    426: 'io_uring_enter',
    441: 'epoll_wait',
    449: 'futex',
  },
};

/** How a call names what it waits for: by one descriptor (its first argument), a table, or not at all. */
export type Shape = 'input' | 'output' | 'table' | 'epoll' | 'select' | 'ring' | 'none';

const SHAPES: Readonly<Record<string, Shape>> = {
  accept: 'input',
  read: 'input',
  readv: 'input',
  recv: 'input',
  recvmsg: 'input',
  recvmmsg: 'input',
  splice: 'input',
  connect: 'output',
  send: 'output',
  sendmsg: 'output',
  sendfile: 'output',
  write: 'output',
  writev: 'output',
  poll: 'table',
  epoll_wait: 'epoll',
  select: 'select',
  io_uring_enter: 'ring',
};

/** What a thread does, as far as its kernel stack tells. */
export type Doing =
  /** On a core, or ready for one. */
  | { readonly is: 'running' }
  /** Asleep in a call. */
  | {
      readonly is: 'waiting';
      readonly call: string;
      readonly shape: Shape;
      /** The call's six arguments. */
      readonly args: readonly number[];
    }
  /** Asleep, but in no system call: stopped by a signal or a debugger, in a page fault, or dead. */
  | { readonly is: 'elsewhere' };

/** Whether this machine's numbers are known. */
export const isKnown = process.arch in NUMBERS;

/**
 * Reads the text of a `syscall` file: `running`, or a number, six arguments, the stack pointer and the
 * program counter, or `-1` and the last two.
 *
 * @param arch - as in `process.arch`
 */
export function parseSystemCall(text: string, arch: string = process.arch): Doing {
  if (text.startsWith('running')) return { is: 'running' };
  const [number, ...rest] = text.trim().split(' ');
  if (number === undefined || number.startsWith('-')) return { is: 'elsewhere' };
  const call = NUMBERS[arch]?.[Number(number)] ?? `system call ${number}`;
  const args = rest.slice(0, 6).map(Number);
  return { is: 'waiting', call, shape: SHAPES[call] ?? 'none', args };
}
