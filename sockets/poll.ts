/**
 * poll(2) and its table: an array of
 *
 *     struct pollfd { int fd; short events; short revents; };
 *
 * in memory that stays in place between calls. The kernel reads `fd` and `events` and writes `revents`
 * right there. JavaScript sees the same bytes through typed arrays, so a turn of the loop copies and
 * allocates nothing. The price of poll(2) is visible, too: at every call the kernel walks the whole table,
 * and then the program does, to find the ready entries.
 */
import { SocketError } from './errors.ts';
import { addressOf, cFunction, EINTR, errno } from './libc.ts';
import { constants } from './platform.ts';

const c_poll = cFunction(`int poll(uintptr_t, ${constants.nfds_t}, int)`);

/** There is data to read, a connection to accept, or the peer's FIN. */
export const POLLIN = 0x001;
/** The kernel can take output. */
export const POLLOUT = 0x004;
/** Both directions are closed; reported without being asked for, as is the next one. */
export const POLLHUP = 0x010;
/** Not an open descriptor. */
export const POLLNVAL = 0x020;

const POLLFD_SIZE = 8;

/**
 * The table. Its entries have no gaps.
 *
 * When the kernel finds an error or a hang-up, it sets `revents` even if that was not asked for; recv or
 * send then returns the error.
 */
export class PollTable {
  /** How many entries are in use; they are at the indices 0 to length - 1. */
  length = 0;
  #memory: Buffer;
  #address: number;
  #fds: Int32Array;
  #shorts: Int16Array;

  /** @param capacity - entries to begin with; the table doubles when it is full */
  constructor(capacity = 64) {
    this.#memory = Buffer.allocUnsafeSlow(capacity * POLLFD_SIZE);
    this.#address = addressOf(this.#memory);
    [this.#fds, this.#shorts] = views(this.#memory);
  }

  /** Appends an entry. @returns its index */
  add(fd: number, events: number): number {
    if ((this.length + 1) * POLLFD_SIZE > this.#memory.length) this.#grow();
    const index = this.length++;
    this.#fds[index * 2] = fd;
    this.#shorts[index * 4 + 2] = events;
    this.#shorts[index * 4 + 3] = 0;
    return index;
  }

  /**
   * Removes an entry by moving the last one into its place: a loop that removes runs from the end.
   *
   * @returns its descriptor, for the caller to close
   */
  remove(index: number): number {
    const fd = this.fd(index);
    this.move(--this.length, index);
    return fd;
  }

  /** Copies an entry over another one. To remove many and keep the order, move the rest down and set `length`. */
  move(from: number, to: number): void {
    this.#fds[to * 2] = this.fd(from);
    this.#shorts[to * 4 + 2] = this.events(from);
    this.#shorts[to * 4 + 3] = this.revents(from);
  }

  /** Makes poll pass over an entry, which keeps its place: it ignores negative descriptors. */
  disable(index: number): void {
    this.#fds[index * 2] = -1;
  }

  /** The descriptor at an index. */
  fd(index: number): number {
    return this.#fds[index * 2] as number;
  }

  /** What is asked about it: `POLLIN`, `POLLOUT`, both, or 0. */
  events(index: number): number {
    return this.#shorts[index * 4 + 2] as number;
  }

  setEvents(index: number, events: number): void {
    this.#shorts[index * 4 + 2] = events;
  }

  /** What the last poll found: a set of the POLL constants, 0 for nothing. */
  revents(index: number): number {
    return this.#shorts[index * 4 + 3] as number;
  }

  /**
   * Waits until an entry is ready (poll(2)). A signal ends the wait early.
   *
   * @param timeout - whole milliseconds; 0 only looks, -1 waits for ever
   * @returns how many entries are ready, 0 after the timeout or a signal; only a positive result has
   *   set `revents`
   * @throws SocketError ENOMEM; EINVAL when the table exceeds RLIMIT_NOFILE
   */
  poll(timeout: number): number {
    const ready = c_poll(this.#address, this.length, timeout);
    if (ready >= 0) return ready;
    const error = errno();
    if (error === EINTR) return 0;
    throw new SocketError('poll', error);
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#memory.length * 2);
    this.#memory.copy(larger);
    this.#memory = larger;
    this.#address = addressOf(larger);
    [this.#fds, this.#shorts] = views(larger);
  }
}

function views(memory: Buffer): [Int32Array, Int16Array] {
  const { buffer, byteOffset, length } = memory;
  return [
    new Int32Array(buffer, byteOffset, length / 4),
    new Int16Array(buffer, byteOffset, length / 2),
  ];
}
