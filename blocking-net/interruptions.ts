/**
 * What reaches a program from outside while it sleeps in system calls: the end of the server. A process
 * gets a signal (signals.ts); a thread has its own means.
 */
export interface Interruptions {
  /** When this program was told that the server stops, by `performance.now()`; undefined before. */
  readonly stoppedAt: number | undefined;
  /** Whether a program that does not wait should call `handle`: it has not done so for a while. */
  readonly areDue: boolean;
  /** How long one call may wait at most, in milliseconds, before the program calls `handle`. */
  readonly wakeUpMs: number;
  /** Looks whether anything has come. */
  handle(): Promise<void>;
}

/** How long a program that always has something to do goes on before it looks. */
export const BUSY_MS = 20;

/** Milliseconds since this program was told that the server stops; 0 before. */
export function elapsedSinceStop({ stoppedAt }: Interruptions): number {
  return stoppedAt === undefined ? 0 : performance.now() - stoppedAt;
}
