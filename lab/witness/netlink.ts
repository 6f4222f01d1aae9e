/**
 * What the kernel knows about one TCP connection: its state, its inode, and how many bytes lie in its
 * buffers (sock_diag(7), over netlink(7)). One question costs a few microseconds; /proc/net/tcp, which
 * lists all connections, would cost milliseconds.
 */
import { isIPv6 } from 'node:net';
import { encodeAddress, type SocketAddress } from '../../sockets/address.ts';
import { SocketError } from '../../sockets/errors.ts';
import { addressOf, cFunction, errno } from '../../sockets/libc.ts';

const c = {
  socket: cFunction('int socket(int, int, int)'),
  send: cFunction('int send(int, uintptr_t, size_t, int)'),
  recv: cFunction('int recv(int, uintptr_t, size_t, int)'),
  close: cFunction('int close(int)'),
};

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLMSG_ERROR = 2;
const NLM_F_REQUEST = 1;
const IPPROTO_TCP = 6;
/** An extension that may be asked for: `struct tcp_info`. */
const INET_DIAG_INFO = 2;

/** sizeof(struct nlmsghdr), sizeof(struct inet_diag_req_v2), sizeof(struct inet_diag_msg). */
const HEADER = 16;
const REQUEST = 56;
const ANSWER = 72;

/** The kernel's numbers for a connection's state (tcp_states.h). */
export const TCP = {
  ESTABLISHED: 1,
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  TIME_WAIT: 6,
  CLOSE: 7,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  LISTEN: 10,
  CLOSING: 11,
} as const;

/** One end of a connection. */
export interface SocketState {
  /** One of `TCP`. */
  readonly state: number;
  /** 0 when no process has it: not accepted yet, or closed already. */
  readonly inode: number;
  /**
   * Bytes that have arrived and were not read; of a listener: connections that are not accepted. The
   * peer's FIN is not counted.
   */
  readonly receive: number;
  /** Bytes that the peer's kernel has not acknowledged; of a listener: the size of its backlog. */
  readonly send: number;
  /** Bytes that have arrived since the beginning. */
  readonly received: number;
  /** Bytes that the peer has acknowledged since the beginning. */
  readonly acknowledged: number;
}

/** A socket to ask the kernel with. */
export class SockDiag {
  readonly #fd: number;
  readonly #answer = Buffer.allocUnsafeSlow(8192);
  readonly #answerAddress = addressOf(this.#answer);

  /** @throws SocketError where the kernel does not offer it (EPROTONOSUPPORT) */
  constructor() {
    this.#fd = c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
    if (this.#fd < 0) throw new SocketError('socket', errno());
  }

  /**
   * Asks about one end of a connection. For a connection that does not exist, the kernel answers with
   * the listener that would take it (state LISTEN).
   *
   * @returns undefined when there is neither
   * @throws SocketError when the kernel refuses to answer
   */
  ask(question: Question): SocketState | undefined {
    if (c.send(this.#fd, question.address, question.message.length, 0) < 0) {
      throw new SocketError('send', errno());
    }
    const length = c.recv(this.#fd, this.#answerAddress, this.#answer.length, 0);
    if (length < 0) throw new SocketError('recv', errno());
    return parseAnswer(this.#answer, length);
  }

  close(): void {
    c.close(this.#fd);
  }
}

/** A message that asks about one end of a connection; made once, sent often. */
export interface Question {
  readonly message: Buffer;
  readonly address: number;
}

/** Asks about the end at `local` of the connection to `remote`: both IPv4, or both IPv6. */
export function questionAbout(local: SocketAddress, remote: SocketAddress): Question {
  const message = Buffer.from(new ArrayBuffer(HEADER + REQUEST)); // never moves
  message.writeUInt32LE(message.length, 0); // nlmsg_len
  message.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  message.writeUInt16LE(NLM_F_REQUEST, 6);
  message.writeUInt8(isIPv6(local.address) ? AF_INET6 : AF_INET, HEADER);
  message.writeUInt8(IPPROTO_TCP, HEADER + 1);
  message.writeUInt8(1 << (INET_DIAG_INFO - 1), HEADER + 2);
  message.writeUInt32LE(0xffffffff, HEADER + 4); // in any state
  writeId(message, HEADER + 8, local, remote);
  message.fill(0xff, HEADER + 48, HEADER + 56); // no cookie: any incarnation of the socket
  return { message, address: addressOf(message) };
}

/** struct inet_diag_sockid: both ports and both addresses, in network byte order. */
function writeId(into: Buffer, at: number, local: SocketAddress, remote: SocketAddress): void {
  const [from, to] = [encodeAddress(local), encodeAddress(remote)];
  const [start, end] = isIPv6(local.address) ? [8, 24] : [4, 8]; // where a sockaddr has its address
  from.copy(into, at, 2, 4);
  to.copy(into, at + 2, 2, 4);
  from.copy(into, at + 4, start, end);
  to.copy(into, at + 20, start, end);
}

/** @throws SocketError for any error but ENOENT (2) */
function parseAnswer(answer: Buffer, length: number): SocketState | undefined {
  if (answer.readUInt16LE(4) === NLMSG_ERROR) {
    const error = -answer.readInt32LE(HEADER);
    if (error === 2) return undefined;
    throw new SocketError('sock_diag', error);
  }
  const state = answer.readUInt8(HEADER + 1);
  const inQueue = answer.readUInt32LE(HEADER + 56);
  const outQueue = answer.readUInt32LE(HEADER + 60);
  const info = attribute(answer, HEADER + ANSWER, length, INET_DIAG_INFO);
  return {
    state,
    inode: answer.readUInt32LE(HEADER + 68),
    // A FIN takes a number in the sequence as a byte does.
    receive: Math.max(0, inQueue - (hasPeersFin(state) && inQueue > 0 ? 1 : 0)),
    send: Math.max(0, outQueue - (hasOwnFin(state) && outQueue > 0 ? 1 : 0)),
    received: info === undefined ? 0 : uint64(answer, info + 128),
    acknowledged: info === undefined ? 0 : uint64(answer, info + 120),
  };
}

function uint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

function hasPeersFin(state: number): boolean {
  return state === TCP.CLOSE_WAIT || state === TCP.LAST_ACK || state === TCP.CLOSING;
}

function hasOwnFin(state: number): boolean {
  return state === TCP.FIN_WAIT1 || state === TCP.LAST_ACK || state === TCP.CLOSING;
}

/**
 * Where a netlink attribute's payload begins: each is its length, its type, and so many bytes, padded to
 * a multiple of 4. undefined when there is none, or it is too short to hold what is read here.
 */
function attribute(bytes: Buffer, from: number, end: number, type: number): number | undefined {
  for (let at = from; at + 4 <= end; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) return undefined;
    if (bytes.readUInt16LE(at + 2) === type) return length >= 4 + 136 ? at + 4 : undefined;
    at += (length + 3) & ~3;
  }
  return undefined;
}
