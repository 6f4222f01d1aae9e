import { getSystemErrorName } from 'node:util';

/**
 * A system call that failed, in the shape of Node's own errors: `message` reads
 * `bind EADDRINUSE 127.0.0.1:12321`.
 */
export class SocketError extends Error {
  /** The name of the error, `'EADDRINUSE'`. */
  readonly code: string;
  /** The error number, negative as in Node's own errors. */
  readonly errno: number;
  /** The system call, `'bind'`. */
  readonly syscall: string;
  readonly address: string | undefined;
  readonly port: number | undefined;

  constructor(syscall: string, errno: number, address?: string, port?: number) {
    const code = getSystemErrorName(-errno);
    super(`${syscall} ${code}${address === undefined ? '' : ` ${address}:${port}`}`);
    this.name = 'SocketError';
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    this.address = address;
    this.port = port;
  }
}
