/** What the thread or process that serves a client tells the one that keeps the log. */
import { type ConnectionLog, whenBareLfStays } from '../echo/log.ts';
import * as sys from '../sockets/index.ts';
import type { End } from './echo.ts';

/** How long after the grace period the last reports are waited for, in milliseconds. */
export const LAST_REPORTS_MS = 250;

/** Where one byte is looked at. */
const ROOM = Buffer.alloc(1);

/** The hint at `--eol lf` is due, for a line of so many bytes; or how the connection ended. */
export type Report = { readonly unfinished: number } | { readonly end: End };

/** The log of one connection where it is served: it sends reports. */
export function remoteLog(tell: (report: Report) => void): Pick<ConnectionLog, 'unfinished'> {
  return { unfinished: whenBareLfStays((unfinished) => tell({ unfinished })) };
}

/** The end of a connection as a plain object, which can be sent. */
export function endOf({ framer: { tailLength, tailHasBareLf }, ...end }: End): Report {
  return { end: { ...end, framer: { tailLength, tailHasBareLf } } };
}

/**
 * Looks whether a client has left already, so that nobody need serve it: it has reset the connection, or has sent
 * its FIN and nothing before.
 *
 * @returns how the connection ended; undefined when the client is there, or has left something to be answered
 */
export function whoLeft(fd: number): End | undefined {
  const error = sys.getsockopt(fd, sys.SO_ERROR);
  try {
    if (error !== 0) throw new sys.SocketError('recv', error);
    return sys.peek(fd, ROOM) === 0 ? endWith('end of input', 0) : undefined;
  } catch (error) {
    if (!(error instanceof sys.SocketError)) throw error;
    return endWith(error.code, 0);
  }
}

/**
 * The end of a connection that nobody has reported.
 *
 * @param bytes - how many have gone over it; undefined when nobody knows, because its thread or process has died
 */
export function endWith(reason: string, bytes?: number): End {
  const framer = { tailLength: 0, tailHasBareLf: false };
  return { reason, received: bytes, sent: bytes, framer };
}
