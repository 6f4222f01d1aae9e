/** What the acceptor and one of its threads say to each other. */
import type { Settings } from '../../blocking-net/echo.ts';
import type { Report } from '../../blocking-net/report.ts';

/** What a thread is started with. */
export interface Task extends Settings {
  /** Memory that this thread shares with the acceptor, and in which it sleeps until a client comes. */
  readonly mailbox: Int32Array;
}

/** What is in the mailbox: a client's descriptor, or NOBODY, or LEAVE; 1 when the server stops; the thread's id. */
export const [CLIENT, STOP, THREAD_ID] = [0, 1, 2];
export const [NOBODY, LEAVE] = [-1, -2];

export const newMailbox = () => new Int32Array(new SharedArrayBuffer(12)).fill(NOBODY, 0, 1);

/** What a thread tells. */
export type Message = 'ready' | Report;
