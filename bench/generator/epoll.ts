/**
 * epoll(7), for the generator alone: it has thousands of connections, and its own cost must not grow
 * with those that are silent. (The model that waits in poll(2) shows what happens otherwise.)
 */
import { SocketError } from '../../sockets/errors.ts';
import { addressOf, cFunction, EINTR, errno } from '../../sockets/libc.ts';
import { close } from '../../sockets/socket.ts';

const epoll_create1 = cFunction('int epoll_create1(int)');
const epoll_ctl = cFunction('int epoll_ctl(int, int, int, const void *)');
const epoll_wait = cFunction('int epoll_wait(int, uintptr_t, int, int)');
const ppoll = cFunction('int ppoll(uintptr_t, unsigned long, uintptr_t, uintptr_t)');
const prctl = cFunction('int prctl(int, unsigned long)');

export const EPOLLIN = 0x001;
export const EPOLLOUT = 0x004;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
const PR_SET_TIMERSLACK = 29;
const EPOLL_CLOEXEC = 0x80000;

/** struct epoll_event is packed on x86-64 (12 bytes), and is not anywhere else (16). */
const isPacked = process.arch === 'x64';
const EVENT_SIZE = isPacked ? 12 : 16;
const DATA_OFFSET = isPacked ? 4 : 8;
const CAPACITY = 1024;

export class Epoll {
  readonly #fd = epoll_create1(EPOLL_CLOEXEC);
  readonly #events = Buffer.allocUnsafeSlow(CAPACITY * EVENT_SIZE);
  readonly #ints: Int32Array;
  readonly #address = addressOf(this.#events);
  /** One pollfd, then one timespec: what ppoll(2) wants. */
  readonly #sleep = Buffer.alloc(24);
  readonly #sleepAddress = addressOf(this.#sleep);

  constructor() {
    if (this.#fd < 0) throw new SocketError('epoll_create1', errno());
    const { buffer, byteOffset, length } = this.#events;
    this.#ints = new Int32Array(buffer, byteOffset, length / 4);
    this.#sleep.writeInt32LE(this.#fd, 0);
    this.#sleep.writeInt16LE(EPOLLIN, 4);
    prctl(PR_SET_TIMERSLACK, 1); // nanoseconds; the kernel's own choice is 50 µs late
  }

  /** @param data - a number that `data(i)` gives back when the descriptor is ready */
  add(fd: number, events: number, data: number): void {
    this.#control(EPOLL_CTL_ADD, fd, events, data);
  }

  modify(fd: number, events: number, data: number): void {
    this.#control(EPOLL_CTL_MOD, fd, events, data);
  }

  #control(operation: number, fd: number, events: number, data: number): void {
    const event = Buffer.alloc(EVENT_SIZE);
    event.writeUInt32LE(events, 0);
    event.writeInt32LE(data, DATA_OFFSET);
    if (epoll_ctl(this.#fd, operation, fd, event) < 0) throw new SocketError('epoll_ctl', errno());
  }

  /**
   * Waits until something is ready.
   *
   * @param timeout - whole milliseconds; 0 only looks
   * @returns how many are; `data(0)` to `data(n - 1)` say which
   */
  wait(timeout: number): number {
    const ready = epoll_wait(this.#fd, this.#address, CAPACITY, timeout);
    if (ready >= 0) return ready;
    const error = errno();
    if (error === EINTR) return 0;
    throw new SocketError('epoll_wait', error);
  }

  /** As `wait`, to the nanosecond: epoll_wait knows only milliseconds. @param timeout - milliseconds */
  waitFinely(timeout: number): number {
    if (timeout > 0) {
      const nanoseconds = Math.round(timeout * 1e6);
      this.#sleep.writeBigInt64LE(BigInt(Math.floor(nanoseconds / 1e9)), 8);
      this.#sleep.writeBigInt64LE(BigInt(nanoseconds % 1e9), 16);
      ppoll(this.#sleepAddress, 1, this.#sleepAddress + 8, 0);
    }
    return this.wait(0);
  }

  data(index: number): number {
    return this.#ints[(index * EVENT_SIZE + DATA_OFFSET) / 4] as number;
  }

  close(): void {
    close(this.#fd);
  }
}
