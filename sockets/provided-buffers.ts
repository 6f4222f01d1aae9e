/**
 * Provided buffers: memory that the kernel takes from when there is something to receive, and not before. A
 * thousand receptions in flight hold no buffer until bytes come. A ring carries the free buffers to the
 * kernel: the program writes at its tail, the kernel takes at its head.
 *
 * Source: io_uring_register(2), IORING_REGISTER_PBUF_RING.
 */
import type { IoUring } from './io-uring.ts';
import { addressOf, ENOBUFS, mapMemory, view } from './libc.ts';

const IORING_REGISTER_PBUF_RING = 22;
/** sizeof(struct io_uring_buf); the ring's tail lies over a field that the first of them does not use. */
const ENTRY_SIZE = 16;
const TAIL_INDEX = 7;

/** The most that a ring can have, and that a number of 16 bits can name. */
const MOST = 32_768;

/** A group of buffers of the same size. It begins with some and grows when it is told to. */
export class ProvidedBuffers {
  /** How the kernel knows the group. */
  readonly group: number;
  /** Bytes. */
  readonly size: number;
  readonly #atOnce: number;
  readonly #slabs: { readonly memory: Buffer; readonly address: number }[] = [];
  readonly #words: Uint32Array;
  readonly #shorts: Uint16Array;
  #tail = 0;
  /** How many receptions that have failed may try again before more buffers are added. */
  #retries = 0;

  /**
   * @param size - of each, in bytes
   * @param atOnce - how many to begin with, and how many `grow` adds. Few are better than many: the kernel takes
   *   the one that has been free longest, so all of them pass through the processor's cache in turn
   * @throws SocketError EINVAL on a kernel before 5.19, ENOMEM, EEXIST when the group exists
   */
  constructor(ring: IoUring, group: number, size: number, atOnce: number) {
    this.group = group;
    this.size = size;
    this.#atOnce = atOnce;
    const address = mapMemory(MOST * ENTRY_SIZE);
    const memory = view(address, MOST * ENTRY_SIZE);
    this.#words = new Uint32Array(memory);
    this.#shorts = new Uint16Array(memory);
    const registration = Buffer.allocUnsafeSlow(40).fill(0);
    registration.writeBigUInt64LE(BigInt(address), 0);
    registration.writeUInt32LE(MOST, 8);
    registration.writeUInt16LE(group, 12);
    ring.register(IORING_REGISTER_PBUF_RING, addressOf(registration), 1);
    this.grow();
  }

  /** Adds buffers; they cost memory when they are first written to. @returns false when there are too many */
  grow(): boolean {
    const first = this.#slabs.length * this.#atOnce;
    if (first + this.#atOnce > MOST) return false;
    const memory = Buffer.allocUnsafeSlow(this.size * this.#atOnce);
    this.#slabs.push({ memory, address: addressOf(memory) });
    for (let i = 0; i < this.#atOnce; i++) this.release(first + i);
    return true;
  }

  /** Gives a buffer back to the kernel. */
  release(id: number): void {
    const index = this.#tail & (MOST - 1);
    const address = this.address(id);
    this.#words[index * 4] = address;
    this.#words[index * 4 + 1] = address / 0x1_0000_0000;
    this.#words[index * 4 + 2] = this.size;
    this.#shorts[index * 8 + 6] = id;
    this.#tail = (this.#tail + 1) & 0xffff;
    Atomics.store(this.#shorts, TAIL_INDEX, this.#tail);
  }

  /** The address of a buffer's first byte. */
  address(id: number): number {
    return this.#slab(id).address + this.offset(id);
  }

  /** The first bytes of a buffer. */
  bytes(id: number, length: number): Buffer {
    const start = this.offset(id);
    return this.memory(id).subarray(start, start + length);
  }

  /** The memory in which a buffer lies, beside others. */
  memory(id: number): Buffer {
    return this.#slab(id).memory;
  }

  /** Where in `memory(id)` it begins. */
  offset(id: number): number {
    return (id % this.#atOnce) * this.size;
  }

  /**
   * After a recv that has failed because no buffer was free: adds some. Where many have failed at the same time,
   * what is added for the first is enough for others.
   *
   * @returns whether to try again
   */
  growAfter(result: number): boolean {
    if (result !== -ENOBUFS) return false;
    if (this.#retries === 0 && this.grow()) this.#retries = this.#atOnce;
    if (this.#retries === 0) return false;
    this.#retries--;
    return true;
  }

  #slab(id: number): { readonly memory: Buffer; readonly address: number } {
    const slab = this.#slabs[Math.floor(id / this.#atOnce)];
    if (!slab) throw new RangeError(`there is no buffer ${id}`);
    return slab;
  }
}
