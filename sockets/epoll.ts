/**
 * epoll(7), level-triggered. The kernel keeps the list of descriptors between calls: a program says once
 * what it wants to know about each, and every wait returns only those that are ready, in an array of
 *
 *     struct epoll_event { uint32_t events; uint64_t data; };
 *
 * Who is silent costs nothing in a wait; that is the difference to poll(2). The price is a system call
 * whenever the question about a descriptor changes. Linux only.
 */
import { SocketError } from './errors.ts';
import { addressOf, cFunction, EINTR, errno } from './libc.ts';
import { close } from './socket.ts';

const epoll_create1 = cFunction('int epoll_create1(int)');
const epoll_ctl = cFunction('int epoll_ctl(int, int, int, uintptr_t)');
const epoll_wait = cFunction('int epoll_wait(int, uintptr_t, int, int)');

/** There is data to read, a connection to accept, or the peer's FIN. */
export const EPOLLIN = 0x001;
/** The kernel can take output. */
export const EPOLLOUT = 0x004;
/** Both directions are closed; reported without being asked for, as are errors. */
export const EPOLLHUP = 0x010;
/**
 * Where several epoll instances watch the same descriptor: wake one of those that wait, not all (only in `add`).
 * It wakes at least one, perhaps more (epoll_ctl(2)).
 */
export const EPOLLEXCLUSIVE = 1 << 28;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0x80000;

// The structure is packed on x86-64, so that 32-bit programs have the same one, and nowhere else.
const isPacked = process.arch === 'x64';
const EVENT_SIZE = isPacked ? 12 : 16;
const DATA_OFFSET = isPacked ? 4 : 8;

/** An epoll instance. A descriptor leaves it by being closed. */
export class Epoll {
  /** The instance's own descriptor, which is readable when one of its descriptors is ready. */
  readonly fd: number;
  readonly #capacity: number;
  readonly #events: Buffer;
  readonly #eventsAddress: number;
  readonly #words: Int32Array;
  /** What epoll_ctl reads. */
  readonly #question = Buffer.allocUnsafeSlow(EVENT_SIZE).fill(0);
  readonly #questionAddress = addressOf(this.#question);

  /**
   * @param capacity - how many ready descriptors one wait returns at most, 1 or more; others come with the
   *   next
   * @throws SocketError EMFILE, ENFILE, ENOMEM; an error with code ERR_UNSUPPORTED_PLATFORM where there is
   *   no epoll
   */
  constructor(capacity = 1024) {
    this.#capacity = capacity;
    this.#events = Buffer.allocUnsafeSlow(capacity * EVENT_SIZE);
    this.#eventsAddress = addressOf(this.#events);
    const { buffer, byteOffset, length } = this.#events;
    this.#words = new Int32Array(buffer, byteOffset, length / 4);
    this.fd = epoll_create1(EPOLL_CLOEXEC);
    if (this.fd < 0) throw new SocketError('epoll_create1', errno());
  }

  /**
   * Watches a descriptor.
   *
   * @param events - `EPOLLIN`, `EPOLLOUT`, both, or 0; errors and hang-ups are reported in any case
   * @param data - a 32-bit number that `data(i)` gives back when the descriptor is ready
   * @throws SocketError EEXIST, EBADF, ENOSPC (fs.epoll.max_user_watches), ENOMEM
   */
  add(fd: number, events: number, data = fd): void {
    this.#control(EPOLL_CTL_ADD, fd, events, data);
  }

  /** Changes what is asked about a descriptor. @throws SocketError ENOENT, EBADF */
  modify(fd: number, events: number, data = fd): void {
    this.#control(EPOLL_CTL_MOD, fd, events, data);
  }

  #control(operation: number, fd: number, events: number, data: number): void {
    this.#question.writeUInt32LE(events, 0);
    this.#question.writeInt32LE(data, DATA_OFFSET);
    const result = epoll_ctl(this.fd, operation, fd, this.#questionAddress);
    if (result < 0) throw new SocketError('epoll_ctl', errno());
  }

  /**
   * Waits until a descriptor is ready (epoll_wait(2)). A signal ends the wait early.
   *
   * @param timeout - whole milliseconds; 0 only looks, -1 waits for ever
   * @returns how many are ready, 0 after the timeout or a signal; `data(0)` to `data(n - 1)` say which
   */
  wait(timeout: number): number {
    const ready = epoll_wait(this.fd, this.#eventsAddress, this.#capacity, timeout);
    if (ready >= 0) return ready;
    const error = errno();
    if (error === EINTR) return 0;
    throw new SocketError('epoll_wait', error);
  }

  /** The number that was given with the i-th ready descriptor. */
  data(index: number): number {
    return this.#words[(index * EVENT_SIZE + DATA_OFFSET) / 4] as number;
  }

  /** What the i-th ready descriptor is ready for. */
  events(index: number): number {
    return this.#words[(index * EVENT_SIZE) / 4] as number;
  }

  close(): void {
    close(this.fd);
  }
}
