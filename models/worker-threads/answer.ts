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
export interface Terms extends Pick<Options, 'work' | 'endOfLine'> {
  /** Of `burn`. */
  readonly speed: number;
}

const terms = workerData as Terms;

export default function answer(lines: Uint8Array<ArrayBuffer>) {
  if (terms.work > 0) {
    const run = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
    for (const line of linesOf(run, terms.endOfLine)) burn(line, terms.work, terms.speed);
  }
  return Piscina.move(lines);
}
