/**
 * io_uring(7): completion instead of readiness. A program does not ask when it may receive, it says "receive
 * this, and tell me when it is done". Two rings in memory that it shares with the kernel carry the traffic:
 *
 *     submission queue   what is to be done    the program writes at its tail, the kernel reads at its head
 *     completion queue   what has been done    the kernel writes at its tail, the program reads at its head
 *
 * One system call, io_uring_enter(2), hands over everything that was queued and waits for what is done.
 *
 * Memory order. Two threads that share a ring need barriers: the entry must be in memory before the tail that
 * announces it. With IORING_SETUP_SINGLE_ISSUER and IORING_SETUP_DEFER_TASKRUN the kernel touches the queues
 * only inside this thread's own io_uring_enter, so program order is all that x86-64 and arm64 need. What is
 * left is the compiler: `Atomics` on the typed arrays keeps V8 from moving the entries past the tail.
 *
 * Linux 6.1 or newer. Sources: io_uring_setup(2), io_uring_enter(2), io_uring_register(2), <linux/io_uring.h>.
 */
import { SocketError } from './errors.ts';
import {
  addressOf,
  cFunction,
  EAGAIN,
  EBUSY,
  EINTR,
  ETIME,
  errno,
  mapMemory,
  view,
} from './libc.ts';
import { close } from './socket.ts';

// The numbers are the same on every architecture that has a 64-bit Linux; syscall(2) is for want of wrappers.
const SYS_io_uring_setup = 425;
const SYS_io_uring_enter = 426;
const SYS_io_uring_register = 427;
const syscall = {
  setup: cFunction('int syscall(long, unsigned int, uintptr_t)'),
  enter: cFunction(
    'int syscall(long, int, unsigned int, unsigned int, unsigned int, uintptr_t, size_t)',
  ),
  register: cFunction('int syscall(long, int, unsigned int, uintptr_t, unsigned int)'),
};

const IORING_SETUP_CQSIZE = 1 << 3;
const IORING_SETUP_CLAMP = 1 << 4;
const IORING_SETUP_SUBMIT_ALL = 1 << 7;
const IORING_SETUP_SINGLE_ISSUER = 1 << 12;
const IORING_SETUP_DEFER_TASKRUN = 1 << 13;
const IORING_OFF_SQES = 0x10000000;
const IORING_ENTER_GETEVENTS = 1 << 0;
const IORING_ENTER_EXT_ARG = 1 << 3;

const IORING_OP_POLL_ADD = 6;
const IORING_OP_TIMEOUT = 11;
const IORING_OP_ACCEPT = 13;
const IORING_OP_ASYNC_CANCEL = 14;
const IORING_OP_SEND = 26;
const IORING_OP_RECV = 27;
const IOSQE_IO_LINK = 1 << 2;
const IOSQE_BUFFER_SELECT = 1 << 5;
const IORING_ACCEPT_MULTISHOT = 1 << 0;
const IORING_ASYNC_CANCEL_ALL = 1 << 0;
const IORING_ASYNC_CANCEL_FD = 1 << 1;
const IORING_CQE_F_BUFFER = 1 << 0;
const IORING_CQE_F_MORE = 1 << 1;
const IORING_CQE_BUFFER_SHIFT = 16;

const SOCK_CLOEXEC = 0x80000;
const MSG_NOSIGNAL = 0x4000;
const MSG_WAITALL = 0x100;
const MSG_MORE = 0x8000;

/** Words of 32 bits in an entry of the submission queue, and of the completion queue. */
const SQE_WORDS = 16;
const CQE_WORDS = 4;

/** sizeof(struct __kernel_timespec) */
const TIMESPEC_SIZE = 16;

function writeTimespec(memory: Buffer, offset: number, milliseconds: number): void {
  const nanoseconds = Math.ceil(milliseconds * 1e6);
  memory.writeBigInt64LE(BigInt(Math.floor(nanoseconds / 1e9)), offset);
  memory.writeBigInt64LE(BigInt(nanoseconds % 1e9), offset + 8);
}

/**
 * A pair of rings. One thread may use it: the one that made it. Each operation carries a `kind` and a `data`,
 * two numbers of 32 bits by which its completion is recognised.
 */
export class IoUring {
  readonly fd: number;

  /** Of the completion that `next` has taken: two numbers of 32 bits that were given with the operation. */
  kind = 0;
  data = 0;
  /** What the system call of that name would have returned; below 0 the negative error number. */
  result = 0;
  /** Whether the same operation will be done again. */
  hasMore = false;
  /** Which buffer a recv has taken; -1 for none. */
  bufferId = -1;

  readonly #sqEntries: number;
  readonly #sqMask: number;
  readonly #cqMask: number;
  /** The two queues' heads, tails and completions; and the entries of the submission queue. */
  readonly #rings: Uint32Array;
  readonly #sqes: Uint32Array;
  /** Where in `#rings` the kernel keeps each of these. */
  readonly #at: { sqHead: number; sqTail: number; cqHead: number; cqTail: number; cqes: number };
  #sqTail = 0;
  #cqHead = 0;
  /** A timeout of io_uring_enter: struct io_uring_getevents_arg, then struct __kernel_timespec. */
  readonly #timeout = Buffer.allocUnsafeSlow(40).fill(0);
  readonly #timeoutAddress = addressOf(this.#timeout);
  readonly #timespecs: Buffer;
  readonly #timespecsAddress: number;

  /**
   * @param entries - how many operations can be queued before they have to be handed over; the kernel takes
   *   the next power of two
   * @param completions - how many can be done before they have to be looked at; more are kept, but at a cost
   * @throws an error with one line to show, and code EPERM or ENOSYS where the system forbids io_uring,
   *   EINVAL where the kernel is too old, ENOMEM, EMFILE, ERR_UNSUPPORTED_PLATFORM
   */
  constructor(entries = 1024, completions = 16_384) {
    const parameters = Buffer.allocUnsafeSlow(120).fill(0);
    const word = (index: number) => parameters.readUInt32LE(index * 4);
    parameters.writeUInt32LE(completions, 4);
    parameters.writeUInt32LE(
      IORING_SETUP_CQSIZE |
        IORING_SETUP_CLAMP |
        IORING_SETUP_SUBMIT_ALL |
        IORING_SETUP_SINGLE_ISSUER |
        IORING_SETUP_DEFER_TASKRUN,
      8,
    );
    if (process.platform !== 'linux') throw unavailable('ERR_UNSUPPORTED_PLATFORM');
    this.fd = syscall.setup(SYS_io_uring_setup, entries, addressOf(parameters));
    if (this.fd < 0) throw unavailable(new SocketError('io_uring_setup', errno()).code);

    // Words 10 to 19 say where the submission queue's parts lie, 20 to 29 the completion queue's.
    this.#sqEntries = word(0);
    const sqSize = word(16) + this.#sqEntries * 4;
    const cqSize = word(25) + word(1) * CQE_WORDS * 4;
    const ringsSize = Math.max(sqSize, cqSize);
    const rings = view(mapMemory(ringsSize, this.fd, 0), ringsSize);
    this.#rings = new Uint32Array(rings, 0, Math.floor(ringsSize / 4));
    const sqesSize = this.#sqEntries * SQE_WORDS * 4;
    this.#sqes = new Uint32Array(view(mapMemory(sqesSize, this.fd, IORING_OFF_SQES), sqesSize));
    this.#at = {
      sqHead: word(10) / 4,
      sqTail: word(11) / 4,
      cqHead: word(20) / 4,
      cqTail: word(21) / 4,
      cqes: word(25) / 4,
    };
    this.#sqMask = this.#sqEntries - 1;
    this.#cqMask = word(1) - 1;
    this.#timespecs = Buffer.allocUnsafeSlow(this.#sqEntries * TIMESPEC_SIZE);
    this.#timespecsAddress = addressOf(this.#timespecs);
    // The kernel reads entries through a list of their numbers; here entry i is always number i.
    const list = word(16) / 4;
    for (let i = 0; i < this.#sqEntries; i++) this.#rings[list + i] = i;
    this.#timeout.writeBigUInt64LE(BigInt(this.#timeoutAddress + 24), 16);
  }

  /** Accepts, again and again until it fails: the result is a new socket each time. */
  accept(listener: number, kind: number, data: number): void {
    this.#queue(
      IORING_OP_ACCEPT,
      0,
      IORING_ACCEPT_MULTISHOT,
      listener,
      0,
      0,
      SOCK_CLOEXEC,
      kind,
      data,
    );
  }

  /**
   * Receives, when something comes, into a buffer that is taken from a group then: until then none is held.
   * The result is a number of bytes, or ENOBUFS when the group has no buffer; `bufferId` tells which it is.
   */
  recv(fd: number, group: number, kind: number, data: number): void {
    this.#queue(IORING_OP_RECV, IOSQE_BUFFER_SELECT, 0, fd, 0, 0, 0, kind, data, group);
  }

  /**
   * Sends all of it, however long that takes. The next operation that is queued begins when this one is done,
   * and is cancelled (ECANCELED) if it fails. The memory must stay as it is until then.
   *
   * @param more - more follows at once, so the kernel may wait with a segment that is not full
   */
  sendLinked(
    fd: number,
    address: number,
    length: number,
    kind: number,
    data: number,
    more = false,
  ): void {
    const flags = MSG_WAITALL | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    this.#queue(IORING_OP_SEND, IOSQE_IO_LINK, 0, fd, address, length, flags, kind, data);
  }

  /** As `sendLinked`, with nothing that waits for it. */
  send(fd: number, address: number, length: number, kind: number, data: number): void {
    const flags = MSG_WAITALL | MSG_NOSIGNAL;
    this.#queue(IORING_OP_SEND, 0, 0, fd, address, length, flags, kind, data);
  }

  /** Is done once when the descriptor is ready. @param events - as in poll(2) */
  poll(fd: number, events: number, kind: number, data: number): void {
    this.#queue(IORING_OP_POLL_ADD, 0, 0, fd, 0, 0, events, kind, data);
  }

  /** Is done when the time is over, with ETIME for its result. @param milliseconds - 0 or more */
  timeout(milliseconds: number, kind: number, data: number): void {
    this.makeRoom(1);
    // The kernel reads the time when the operation is handed over: one place for each entry will do.
    const place = (this.#sqTail & this.#sqMask) * TIMESPEC_SIZE;
    writeTimespec(this.#timespecs, place, milliseconds);
    const address = this.#timespecsAddress + place;
    this.#queue(IORING_OP_TIMEOUT, 0, 0, -1, address, 1, 0, kind, data);
  }

  /** Cancels everything that is in flight on a descriptor: each is done with ECANCELED, if it is not done already. */
  cancel(fd: number, kind: number, data: number): void {
    const flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
    this.#queue(IORING_OP_ASYNC_CANCEL, 0, 0, fd, 0, 0, flags, kind, data);
  }

  /** Cancels the timeout that was begun with these two numbers: it is done with ECANCELED, if it is not done already. */
  cancelTimeout(itsKind: number, itsData: number, kind: number, data: number): void {
    const userData = itsKind * 0x1_0000_0000 + itsData;
    this.#queue(IORING_OP_ASYNC_CANCEL, 0, 0, -1, userData, 0, 0, kind, data);
  }

  /** Makes room for operations that are linked: they have to be handed over together. */
  makeRoom(operations: number): void {
    while (this.#queued() + operations > this.#sqEntries) this.#enter(0, 0, 0, 0);
  }

  /** How many operations are queued and not handed over. */
  #queued(): number {
    return (this.#sqTail - Atomics.load(this.#rings, this.#at.sqHead)) >>> 0;
  }

  #queue(
    opcode: number,
    flags: number,
    priority: number,
    fd: number,
    address: number,
    length: number,
    operationFlags: number,
    kind: number,
    data: number,
    group = 0,
  ): void {
    this.makeRoom(1);
    const sqes = this.#sqes;
    const at = (this.#sqTail & this.#sqMask) * SQE_WORDS;
    sqes[at] = opcode | (flags << 8) | (priority << 16);
    sqes[at + 1] = fd;
    sqes[at + 2] = 0;
    sqes[at + 3] = 0;
    sqes[at + 4] = address; // the lower 32 bits
    sqes[at + 5] = address / 0x1_0000_0000;
    sqes[at + 6] = length;
    sqes[at + 7] = operationFlags;
    sqes[at + 8] = data;
    sqes[at + 9] = kind;
    sqes[at + 10] = group;
    sqes[at + 11] = 0;
    sqes[at + 12] = 0;
    sqes[at + 13] = 0;
    this.#sqTail = (this.#sqTail + 1) >>> 0;
  }

  /**
   * Hands over what is queued, and waits until something is done (io_uring_enter(2)). A signal ends the wait.
   *
   * @param timeout - milliseconds; 0 does not wait, -1 waits for ever
   */
  submitAndWait(timeout: number): void {
    if (timeout <= 0) {
      this.#enter(timeout < 0 ? 1 : 0, IORING_ENTER_GETEVENTS, 0, 0);
      return;
    }
    writeTimespec(this.#timeout, 24, timeout);
    this.#enter(1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, this.#timeoutAddress, 24);
  }

  #enter(completions: number, flags: number, argument: number, size: number): void {
    const { sqTail, cqHead } = this.#at;
    Atomics.store(this.#rings, sqTail, this.#sqTail);
    Atomics.store(this.#rings, cqHead, this.#cqHead);
    const queued = this.#queued();
    const result = syscall.enter(
      SYS_io_uring_enter,
      this.fd,
      queued,
      completions,
      flags,
      argument,
      size,
    );
    if (result >= 0) return;
    const error = errno();
    // EBUSY and EAGAIN: completions have to be looked at first, and they are going to be.
    const isOrdinary = error === EINTR || error === ETIME || error === EBUSY || error === EAGAIN;
    if (!isOrdinary) throw new SocketError('io_uring_enter', error);
  }

  /** Takes the next completion, which the fields above describe then. @returns false when there is none */
  next(): boolean {
    if (this.#cqHead === Atomics.load(this.#rings, this.#at.cqTail)) return false;
    const at = this.#at.cqes + (this.#cqHead & this.#cqMask) * CQE_WORDS;
    this.data = this.#rings[at] as number;
    this.kind = this.#rings[at + 1] as number;
    this.result = (this.#rings[at + 2] as number) | 0;
    const flags = this.#rings[at + 3] as number;
    this.hasMore = (flags & IORING_CQE_F_MORE) !== 0;
    this.bufferId = flags & IORING_CQE_F_BUFFER ? flags >>> IORING_CQE_BUFFER_SHIFT : -1;
    this.#cqHead = (this.#cqHead + 1) >>> 0;
    return true;
  }

  /**
   * Tells the kernel about something (io_uring_register(2)).
   *
   * @throws SocketError
   */
  register(opcode: number, argument: number, count: number): void {
    const result = syscall.register(SYS_io_uring_register, this.fd, opcode, argument, count);
    if (result < 0) throw new SocketError('io_uring_register', errno());
  }
}

const reasons: Record<string, string> = {
  EPERM: 'this system forbids io_uring, as many containers do (see kernel.io_uring_disabled)',
  ENOSYS: 'this system has no io_uring: the kernel is older than 5.1, or a container forbids it',
  EINVAL: 'this kernel’s io_uring is too old: Linux 6.1 or newer is needed',
  ENOMEM: 'the rings need more locked memory than allowed (ulimit -l)',
  ERR_UNSUPPORTED_PLATFORM: 'io_uring exists on Linux only',
};

function unavailable(code: string): Error {
  const message = `io_uring_setup ${code}: ${reasons[code] ?? 'io_uring cannot be set up'}`;
  return Object.assign(new Error(message), { code });
}

/** Why io_uring cannot be used here, in one line; undefined when it can. */
export function whyNoIoUring(): string | undefined {
  try {
    close(new IoUring(8, 16).fd);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
