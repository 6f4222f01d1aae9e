/** Files of /proc (proc(5)) that are read hundreds of times a second: opened once, read in place. */
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import type { RingState } from '../trace.ts';

const buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** One file whose content changes. */
export class ProcFile {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What it says now, up to 64 KiB.
   *
   * @throws NodeJS.ErrnoException ENOENT or ESRCH when the thread has ended, EACCES or EPERM when it may
   *   not be looked at
   */
  read(): string {
    this.#fd ??= openSync(this.#path, 'r');
    const length = readSync(this.#fd, buffer, 0, buffer.length, 0);
    return buffer.toString('latin1', 0, length);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** The memory of a process. */
export class Memory {
  readonly #pid: number;
  #fd: number | undefined;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /**
   * Copies `length` bytes from an address.
   *
   * @throws NodeJS.ErrnoException as ProcFile does; EIO when there is no such memory
   */
  read(address: number, length: number): Buffer {
    this.#fd ??= openSync(`/proc/${this.#pid}/mem`, 'r');
    const bytes = Buffer.allocUnsafe(length);
    const got = readSync(this.#fd, bytes, 0, length, address);
    return bytes.subarray(0, got);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** What a descriptor of a process is: `socket:[12345]`, `anon_inode:[eventpoll]`, a path; '' when it is closed. */
export function descriptor(pid: number, fd: number): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

/** The inode in `socket:[12345]`; undefined for anything else. */
export function inodeOf(link: string): number | undefined {
  const [, inode] = /^socket:\[(\d+)\]$/.exec(link) ?? [];
  return inode === undefined ? undefined : Number(inode);
}

/** What an epoll instance watches (proc(5), fdinfo): descriptors and what is asked about each. */
export function epollTable(text: string): { fd: number; events: number; inode: number }[] {
  const rows = text.matchAll(/^tfd:\s*(\d+) events:\s*([0-9a-f]+) data:.*?ino:([0-9a-f]+)/gm);
  return [...rows].map(([, fd, events, inode]) => ({
    fd: Number(fd),
    events: Number.parseInt(events as string, 16),
    inode: Number.parseInt(inode as string, 16),
  }));
}

/** Operations by the numbers of <linux/io_uring.h> that can wait for a socket, by the call that does the same. */
const OPERATIONS: Readonly<Record<number, string>> = {
  ...{ 1: 'read', 2: 'write', 6: 'poll', 9: 'send', 10: 'recv', 13: 'accept', 16: 'connect' },
  ...{ 22: 'read', 23: 'write', 26: 'send', 27: 'recv' },
};

/**
 * What an io_uring says of itself in fdinfo: what it waits for on descriptors (`PollList`), and how many entries of
 * its submission queue the kernel has taken (`SqHead`).
 *
 * @returns undefined for any other descriptor, and where the kernel does not say it
 */
export function ringState(text: string): RingState | undefined {
  const [, taken] = /^SqHead:\s*(\d+)/m.exec(text) ?? [];
  const [, list] = /^PollList:\n((?: +op=.*\n?)*)/m.exec(text) ?? [];
  if (taken === undefined || list === undefined) return undefined;
  const inFlight: Record<string, number> = {};
  for (const [, code] of list.matchAll(/op=(\d+)/g)) {
    const name = OPERATIONS[Number(code)] ?? `operation ${code}`;
    inFlight[name] = (inFlight[name] ?? 0) + 1;
  }
  return { inFlight, handedOver: Number(taken) };
}

/** Bytes of memory that belong to no file, in a process's `status` file; 0 when it has ended. */
export function ownMemory(status: string): number {
  const [, kilobytes = '0'] = /^RssAnon:\s*(\d+) kB/m.exec(status) ?? [];
  return Number(kilobytes) * 1024;
}

/** A thread's account: milliseconds of CPU it has used, and of waiting for a core. */
export function parseSchedule(text: string): { cpu: number; delay: number } {
  const [cpu, delay] = text.split(' ');
  return { cpu: Number(cpu) / 1e6, delay: Number(delay) / 1e6 };
}

/** The state's letter in a `stat` file, after the command's name, which may hold anything. */
export function stateOf(stat: string): string {
  return stat.charAt(stat.lastIndexOf(')') + 2);
}

/** The last part of the path of a process's program: `node`; '' when it cannot be read. */
export function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`).split('/').at(-1) ?? '';
  } catch {
    return '';
  }
}

/** A process's children, by the thread that started them. */
export function childrenOf(pid: number, tid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
