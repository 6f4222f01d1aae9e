/**
 * One thread of the pool: takes complete lines, works and waits for each (`--work`, `--wait`), gives them
 * back.
 *
 * The bytes are not copied on the way. The buffer is transferred: its sender cannot use it any more.
 */
import { Piscina, workerData } from 'piscina';
import { linesOf } from '../../echo/framing.ts';
import type { Options } from '../../echo/options.ts';
import { burn } from '../../echo/work.ts';

/** What is the same for all tasks; every thread gets it when it starts. */
export interface Settings extends Pick<Options, 'work' | 'wait' | 'endOfLine'> {
  /** For `burn`. */
  readonly speed: number;
}

/** What a thread is to answer. */
export interface Task {
  readonly lines: Uint8Array<ArrayBuffer>;
  /**
   * With `--work` or `--wait`: a flag in memory that the main thread shares with this one. It becomes 1 when
   * the client has left, and then no more time is spent on its lines.
   */
  readonly hasLeft?: Int32Array;
}

const { work, wait, endOfLine, speed } = workerData as Settings;

export default function answer({ lines, hasLeft }: Task) {
  if (hasLeft) {
    const run = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
    for (const line of linesOf(run, endOfLine)) {
      if (Atomics.load(hasLeft, 0) !== 0) break;
      if (work > 0) burn(line, work, speed);
      // Sleeps in the kernel until the time is over, or the client has left.
      if (wait > 0) Atomics.wait(hasLeft, 0, 0, wait);
    }
  }
  return Piscina.move(lines);
}
