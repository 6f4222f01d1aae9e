/**
 * One thread of the pool: takes complete lines, pays for each, gives them back.
 *
 * The bytes are not copied on the way. A transferred buffer changes hands: whoever gave it away has
 * nothing left of it.
 */
import { Piscina, workerData } from 'piscina';
import { linesOf } from '../../echo/framing.ts';
import type { Options } from '../../echo/options.ts';
import { burn } from '../../echo/work.ts';

/** What every thread is told when it starts. */
export interface Terms extends Pick<Options, 'work' | 'wait' | 'endOfLine'> {
  /** Of `burn`. */
  readonly speed: number;
}

/** What a thread is given to do. */
export interface Task {
  readonly lines: Uint8Array<ArrayBuffer>;
  /**
   * With `--work` or `--wait`: memory that the main thread and this one share, and that is not 0 any more when
   * the client has left. Nobody works for such a client.
   */
  readonly hasLeft?: Int32Array;
}

const { work, wait, endOfLine, speed } = workerData as Terms;

export default function answer({ lines, hasLeft }: Task) {
  if (hasLeft) {
    const run = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
    for (const line of linesOf(run, endOfLine)) {
      if (Atomics.load(hasLeft, 0) !== 0) break;
      if (work > 0) burn(line, work, speed);
      // The thread sleeps in the kernel until the time is over, or the client has left.
      if (wait > 0) Atomics.wait(hasLeft, 0, 0, wait);
    }
  }
  return Piscina.move(lines);
}
