/**
 * The numbers behind the names: what <sys/socket.h>, <netinet/in.h> and <fcntl.h> say on each system.
 *
 * Error numbers are not here: `node:os` has them.
 */

/** One system's constants; the names are those of the C headers. */
interface Constants {
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly SOCK_STREAM: number;
  readonly SOCK_DGRAM: number;
  readonly SOL_SOCKET: number;
  readonly SO_REUSEADDR: number;
  readonly SO_KEEPALIVE: number;
  readonly SO_LINGER: number;
  readonly SO_REUSEPORT: number;
  readonly SO_SNDBUF: number;
  readonly SO_RCVBUF: number;
  readonly SO_SNDTIMEO: number;
  readonly SO_RCVTIMEO: number;
  readonly SO_ERROR: number;
  readonly MSG_PEEK: number;
  readonly MSG_DONTWAIT: number;
  readonly IPPROTO_TCP: number;
  readonly TCP_NODELAY: number;
  readonly TCP_MAXSEG: number;
  readonly IPPROTO_IPV6: number;
  readonly IPV6_V6ONLY: number;
  readonly F_GETFL: number;
  readonly F_SETFL: number;
  readonly F_SETFD: number;
  readonly FD_CLOEXEC: number;
  readonly O_NONBLOCK: number;
  /** The request of ioctl(2) for the number of unacknowledged bytes; undefined where there is none. */
  readonly SIOCOUTQ: number | undefined;
  /** BSD systems begin every sockaddr with its length in one byte; Linux does not. */
  readonly sockaddrHasLength: boolean;
  /** The C type of `nfds_t`, the second argument of poll(2). */
  readonly nfds_t: string;
}

const linux: Constants = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_KEEPALIVE: 9,
  SO_LINGER: 13,
  SO_REUSEPORT: 15,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_SNDTIMEO: 21,
  SO_RCVTIMEO: 20,
  SO_ERROR: 4,
  MSG_PEEK: 0x02,
  MSG_DONTWAIT: 0x40,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  TCP_MAXSEG: 2,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  F_GETFL: 3,
  F_SETFL: 4,
  F_SETFD: 2,
  FD_CLOEXEC: 1,
  O_NONBLOCK: 0x800,
  SIOCOUTQ: 0x5411,
  sockaddrHasLength: false,
  nfds_t: 'unsigned long',
};

/** From Apple's headers; no test of this project has run on macOS. */
const darwinUntested: Constants = {
  AF_INET: 2,
  AF_INET6: 30,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 0x0004,
  SO_KEEPALIVE: 0x0008,
  SO_LINGER: 0x1080, // SO_LINGER_SEC: Apple's plain SO_LINGER counts in clock ticks
  SO_REUSEPORT: 0x0200,
  SO_SNDBUF: 0x1001,
  SO_RCVBUF: 0x1002,
  SO_SNDTIMEO: 0x1005,
  SO_RCVTIMEO: 0x1006,
  SO_ERROR: 0x1007,
  MSG_PEEK: 0x02,
  MSG_DONTWAIT: 0x80,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  TCP_MAXSEG: 2,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 27,
  F_GETFL: 3,
  F_SETFL: 4,
  F_SETFD: 2,
  FD_CLOEXEC: 1,
  O_NONBLOCK: 0x0004,
  SIOCOUTQ: undefined,
  sockaddrHasLength: true,
  nfds_t: 'unsigned int',
};

const tables: Partial<Record<NodeJS.Platform, Constants>> = { linux, darwin: darwinUntested };

/**
 * The processors for which these numbers and the sizes of the structures are correct: 64 bits,
 * little-endian, with Linux's generic numbers (asm-generic/socket.h). MIPS, PowerPC and SPARC number some
 * options differently, s390x is big-endian, and 32-bit systems have another struct timeval. Tested: x64.
 */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64'];

/**
 * Whether `sockets/` supports this system: Linux (tested) and macOS (untested), on one of the processors above.
 * Elsewhere every call throws `ERR_UNSUPPORTED_PLATFORM`.
 */
export const isSupported = process.platform in tables && ARCHITECTURES.includes(process.arch);

/** The error message where `sockets/` does not support the system. */
export const requirement =
  process.platform in tables
    ? `system calls through libc need a processor of type ${ARCHITECTURES.join(', ')}, this is ${process.arch}`
    : `system calls through libc need Linux or macOS, this is ${process.platform}: on Windows use WSL`;

/** The constants of the system that this process runs on. */
export const constants = tables[process.platform] ?? linux;
