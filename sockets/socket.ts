/**
 * The BSD socket calls, under their own names, on plain file descriptors.
 *
 * A call that succeeds returns what the manual page says. Two outcomes that C reports as errors are
 * return values here, because a server meets them all the time: `WOULD_BLOCK` (EAGAIN, and EINPROGRESS of
 * connect) and `INTERRUPTED` (EINTR). Both are negative, so `result < 0` means either. Every other error is
 * thrown as a `SocketError`.
 *
 * `recv` and `send` allocate nothing.
 */
import { decodeAddress, encodeAddress, SOCKADDR_SIZE, type SocketAddress } from './address.ts';
import { SocketError } from './errors.ts';
import {
  addressOf,
  addressOfSame,
  cFunction,
  EAGAIN,
  EALREADY,
  EINPROGRESS,
  EINTR,
  errno,
} from './libc.ts';
import { decodeOption, encodeOption, type SocketOption } from './options.ts';
import { constants } from './platform.ts';

const c = {
  socket: cFunction('int socket(int, int, int)'),
  bind: cFunction('int bind(int, const void *, uint32_t)'),
  listen: cFunction('int listen(int, int)'),
  accept: cFunction('int accept(int, void *, void *)'),
  connect: cFunction('int connect(int, const void *, uint32_t)'),
  // recv and friends return ssize_t; the lengths below stay under 2^31, so an int holds the result.
  recv: cFunction('int recv(int, uintptr_t, size_t, int)'),
  send: cFunction('int send(int, uintptr_t, size_t, int)'),
  recvfrom: cFunction('int recvfrom(int, uintptr_t, size_t, int, void *, void *)'),
  sendto: cFunction('int sendto(int, uintptr_t, size_t, int, const void *, uint32_t)'),
  shutdown: cFunction('int shutdown(int, int)'),
  close: cFunction('int close(int)'),
  dup: cFunction('int dup(int)'),
  setsockopt: cFunction('int setsockopt(int, int, int, const void *, uint32_t)'),
  getsockopt: cFunction('int getsockopt(int, int, int, void *, void *)'),
  getsockname: cFunction('int getsockname(int, void *, void *)'),
  getpeername: cFunction('int getpeername(int, void *, void *)'),
  fcntl: cFunction('int fcntl(int, int, ...)'),
  ioctl: cFunction('int ioctl(int, unsigned long, ...)'),
};

/** The call could do nothing now. Either the socket is non-blocking, or the call's timeout is over. */
export const WOULD_BLOCK = -1;
/** A signal interrupted the call; nothing was transferred. */
export const INTERRUPTED = -2;

/** `how` of shutdown(2): no more transmissions, or neither these nor receptions. */
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

export const { AF_INET, AF_INET6, SOCK_STREAM, SOCK_DGRAM } = constants;

/** What a failed call returns or throws. Must run before any other call can overwrite errno. */
function failed(syscall: string, at?: SocketAddress): number {
  const error = errno();
  if (error === EAGAIN || error === EINPROGRESS || error === EALREADY) return WOULD_BLOCK;
  if (error === EINTR) return INTERRUPTED;
  throw new SocketError(syscall, error, at?.address, at?.port);
}

/** As `failed`, for calls that neither wait nor get interrupted. */
function check(result: number, syscall: string, at?: SocketAddress): void {
  if (result < 0) throw new SocketError(syscall, errno(), at?.address, at?.port);
}

/** Throws a RangeError unless the range is inside the buffer: beyond it is other memory of the process. */
function checkRange(buffer: Buffer, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= buffer.length)) {
    throw new RangeError(`${offset}+${length} lies outside a buffer of ${buffer.length} bytes`);
  }
}

/**
 * Creates a socket (socket(2)), closed on exec so that a child process does not keep it open.
 *
 * @param family - `AF_INET` or `AF_INET6`
 * @param type - `SOCK_STREAM` (TCP) or `SOCK_DGRAM` (UDP)
 * @returns its file descriptor
 * @throws SocketError, with code EMFILE or ENFILE when no descriptor is left
 */
export function socket(family: number, type: number = SOCK_STREAM): number {
  const fd = c.socket(family, type, 0);
  check(fd, 'socket');
  c.fcntl(fd, constants.F_SETFD, 'int', constants.FD_CLOEXEC);
  return fd;
}

/** Gives a socket its own address (bind(2)); port 0 takes a free one. @throws SocketError EADDRINUSE … */
export function bind(fd: number, address: SocketAddress): void {
  const sockaddr = encodeAddress(address);
  check(c.bind(fd, sockaddr, sockaddr.length), 'bind', address);
}

/**
 * Turns a socket into a listener (listen(2)).
 *
 * @param backlog - how many connections the kernel completes and keeps until they are accepted; it
 *   caps the number at net.core.somaxconn
 */
export function listen(fd: number, backlog: number): void {
  check(c.listen(fd, backlog), 'listen');
}

/** Errors of accept(2) that concern one connection, which has ended already; the next one may be fine. */
const LOST = new Set([
  ...['ECONNABORTED', 'ENETDOWN', 'EPROTO', 'ENOPROTOOPT', 'EHOSTDOWN', 'ENONET'],
  ...['EHOSTUNREACH', 'EOPNOTSUPP', 'ENETUNREACH', 'EPERM'],
]);

/**
 * Takes the next connection out of a listener's backlog (accept(2)).
 *
 * @returns the new socket, or `WOULD_BLOCK`, or `INTERRUPTED`. A connection that has ended meanwhile
 *   (ECONNABORTED; on Linux also its pending network errors) counts as nothing to accept.
 * @throws SocketError, with code EMFILE or ENFILE when no descriptor is free, ENOBUFS or ENOMEM when no memory is
 */
export function accept(listener: number): number {
  const fd = c.accept(listener, null, null);
  if (fd >= 0) {
    c.fcntl(fd, constants.F_SETFD, 'int', constants.FD_CLOEXEC);
    return fd;
  }
  try {
    return failed('accept');
  } catch (error) {
    if (error instanceof SocketError && LOST.has(error.code)) return WOULD_BLOCK;
    throw error;
  }
}

/**
 * Connects to a listener (connect(2)).
 *
 * @returns 0 when connected; `WOULD_BLOCK` on a non-blocking socket: wait for POLLOUT, then read
 *   `SO_ERROR`
 */
export function connect(fd: number, address: SocketAddress): number {
  const sockaddr = encodeAddress(address);
  const result = c.connect(fd, sockaddr, sockaddr.length);
  return result < 0 ? failed('connect', address) : result;
}

/**
 * Receives what is there, at most `length` bytes, into `buffer` from `offset` on (recv(2)).
 *
 * @returns how many bytes came; 0 after the peer's FIN; or `WOULD_BLOCK`, or `INTERRUPTED`
 * @throws SocketError ECONNRESET …; RangeError when the range is not inside the buffer
 */
export function recv(
  fd: number,
  buffer: Buffer,
  offset = 0,
  length = buffer.length - offset,
): number {
  checkRange(buffer, offset, length);
  const result = c.recv(fd, addressOfSame(buffer) + offset, length, 0);
  return result < 0 ? failed('recv') : result;
}

/**
 * Looks at what is there, and leaves it to be received (recv(2) with MSG_PEEK). It never waits, also on a socket
 * that is blocking (MSG_DONTWAIT).
 *
 * @returns as `recv`: how many bytes there are, at most those of `buffer`; 0 when the peer has sent its FIN and
 *   nothing else; or `WOULD_BLOCK`
 * @throws SocketError ECONNRESET …
 */
export function peek(fd: number, buffer: Buffer): number {
  const flags = constants.MSG_PEEK | constants.MSG_DONTWAIT;
  const result = c.recv(fd, addressOf(buffer), buffer.length, flags);
  return result < 0 ? failed('recv') : result;
}

/**
 * Hands bytes of `buffer` to the kernel (send(2)). Node has set SIGPIPE to be ignored, so a peer that
 * is gone is an EPIPE here.
 *
 * @returns how many bytes it took, perhaps fewer than `length`; or `WOULD_BLOCK`, or `INTERRUPTED`
 * @throws SocketError EPIPE, ECONNRESET …; RangeError when the range is not inside the buffer
 */
export function send(
  fd: number,
  buffer: Buffer,
  offset = 0,
  length = buffer.length - offset,
): number {
  checkRange(buffer, offset, length);
  const result = c.send(fd, addressOfSame(buffer) + offset, length, 0);
  return result < 0 ? failed('send') : result;
}

/** One datagram that came in: how many bytes of the buffer it fills, and who sent it. */
export interface Datagram {
  readonly length: number;
  readonly from: SocketAddress;
}

/**
 * Receives one datagram into `buffer` (recvfrom(2)); what does not fit is lost.
 *
 * @returns the datagram, or `WOULD_BLOCK`, or `INTERRUPTED`
 */
export function recvfrom(fd: number, buffer: Buffer): Datagram | number {
  const sockaddr = Buffer.alloc(SOCKADDR_SIZE);
  const size = lengthCell(sockaddr);
  const length = c.recvfrom(fd, addressOf(buffer), buffer.length, 0, sockaddr, size);
  if (length < 0) return failed('recvfrom');
  const from = decodeAddress(sockaddr);
  if (!from) throw new TypeError('recvfrom: the sender has no IP address');
  return { length, from };
}

/** Sends one datagram (sendto(2)). @returns its length, or `WOULD_BLOCK`, or `INTERRUPTED` */
export function sendto(fd: number, bytes: Buffer, to: SocketAddress): number {
  const sockaddr = encodeAddress(to);
  const result = c.sendto(fd, addressOf(bytes), bytes.length, 0, sockaddr, sockaddr.length);
  return result < 0 ? failed('sendto', to) : result;
}

/** Ends one direction of a connection, or both (shutdown(2)). `SHUT_WR` sends the FIN. */
export function shutdown(fd: number, how: number): void {
  check(c.shutdown(fd, how), 'shutdown');
}

/**
 * Gives the descriptor back (close(2)). With unread input the kernel resets the connection. EINTR
 * is no error: the descriptor is gone all the same.
 */
export function close(fd: number): void {
  if (c.close(fd) < 0) failed('close');
}

/**
 * A second descriptor for the same socket (dup(2)): the socket lives until both are closed.
 *
 * @throws SocketError EMFILE
 */
export function dup(fd: number): number {
  const duplicate = c.dup(fd);
  check(duplicate, 'dup');
  c.fcntl(duplicate, constants.F_SETFD, 'int', constants.FD_CLOEXEC);
  return duplicate;
}

/** Sets an option (setsockopt(2)); the comment of each option says the unit of `value`. */
export function setsockopt(fd: number, option: SocketOption, value: number): void {
  const memory = encodeOption(option, value);
  check(c.setsockopt(fd, option.level, option.name, memory, memory.length), 'setsockopt');
}

/** Reads an option (getsockopt(2)). */
export function getsockopt(fd: number, option: SocketOption): number {
  const memory = encodeOption(option, 0);
  const size = lengthCell(memory);
  check(c.getsockopt(fd, option.level, option.name, memory, size), 'getsockopt');
  return decodeOption(option, memory);
}

/** The socket's own address (getsockname(2)): after bind with port 0, the port that it got. */
export function getsockname(fd: number): SocketAddress {
  return name(fd, 'getsockname');
}

/** The address of the other end (getpeername(2)). @throws SocketError ENOTCONN when it has disconnected */
export function getpeername(fd: number): SocketAddress {
  return name(fd, 'getpeername');
}

/** As `getpeername`, but undefined when the other end has disconnected already. */
export function peerOf(fd: number): SocketAddress | undefined {
  try {
    return getpeername(fd);
  } catch {
    return undefined;
  }
}

function name(fd: number, call: 'getsockname' | 'getpeername'): SocketAddress {
  const sockaddr = Buffer.alloc(SOCKADDR_SIZE);
  check(c[call](fd, sockaddr, lengthCell(sockaddr)), call);
  const address = decodeAddress(sockaddr);
  if (!address) throw new TypeError(`${call}: not an IP socket`);
  return address;
}

/** A `socklen_t`: the call reads the size of `room` from it, and writes the size that it used into it. */
function lengthCell(room: Buffer): Buffer {
  const cell = Buffer.alloc(4);
  cell.writeUInt32LE(room.length, 0);
  return cell;
}

/** Makes calls on this socket return `WOULD_BLOCK` instead of waiting, or wait again (fcntl(2)). */
export function setNonBlocking(fd: number, nonBlocking = true): void {
  const flags = c.fcntl(fd, constants.F_GETFL);
  check(flags, 'fcntl');
  const wanted = nonBlocking ? flags | constants.O_NONBLOCK : flags & ~constants.O_NONBLOCK;
  check(c.fcntl(fd, constants.F_SETFL, 'int', wanted), 'fcntl');
}

/**
 * Bytes that the kernel has taken for this connection and that the peer has not acknowledged (ioctl(2) with
 * SIOCOUTQ, tcp(7)). They distinguish a slow reader from one that has stopped: POLLOUT does not come before a
 * third of the send buffer is free.
 *
 * @returns undefined where the system does not say (macOS)
 */
export function unacknowledged(fd: number): number | undefined {
  if (constants.SIOCOUTQ === undefined) return undefined;
  const count = Buffer.alloc(4);
  check(c.ioctl(fd, constants.SIOCOUTQ, 'void *', count), 'ioctl');
  return count.readInt32LE(0);
}
