/** What the thread or process that serves a client tells the one that keeps the log. */
import { type ConnectionLog, whenBareLfStays } from '../echo/log.ts';
import type { End } from './echo.ts';

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

/** The end of a connection whose thread or process has died: nobody knows how far it had come. */
export function lost(reason: string): End {
  return {
    reason,
    received: undefined,
    sent: undefined,
    framer: { tailLength: 0, tailHasBareLf: false },
  };
}
