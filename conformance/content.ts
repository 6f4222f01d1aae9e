/** Bytes that tell where they belong: no two connections, and no two places of one, send the same. */

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SIGNS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const pool = poolOfSigns(256 * 1024);

/** Text whose characters take two and three bytes: who counts characters where bytes are due is off. */
const CHARACTERS = ['ä', 'ř', 'Ж', 'ع', '中', '語', '€', 'ö'];

function poolOfSigns(length: number): Buffer {
  const random = randomNumbers(20_231);
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let i = 0; i < length; i++) bytes[i] = SIGNS.charCodeAt(random() * SIGNS.length);
  return bytes;
}

/**
 * A line of printable ASCII that belongs to one place of one connection: another's, or the same one
 * shifted by a byte, differs from it.
 *
 * @param who - the connection's number
 * @param n - the line's number on that connection
 * @param length - in bytes, the terminator included: 2 or more
 */
export function lineOf(who: number, n: number, length: number): Buffer {
  const line = Buffer.allocUnsafe(length);
  const start = (who * 7919 + n * 104_729) % (pool.length - length);
  pool.copy(line, 0, start, start + length - 2);
  const name = `${who}.${n}:`;
  if (name.length <= length - 2) line.write(name, 'latin1');
  line.write('\r\n', length - 2);
  return line;
}

/** Such a line whose signs are mostly not ASCII, but UTF-8; some bytes longer. */
function textLineOf(who: number, n: number, length: number): Buffer {
  const plain = lineOf(who, n, length).subarray(0, -2).toString('latin1');
  const name = /^\d+\.\d+:/.exec(plain)?.[0] ?? '';
  let text = name;
  for (let at = name.length; text.length < length / 2; at++)
    text += CHARACTERS[plain.charCodeAt(at) % 8] ?? '.';
  return Buffer.from(`${text}\r\n`);
}

/**
 * So many bytes (or a few more) of such lines, of 2 to `longest` bytes, from line number `first` on.
 *
 * @param isText - whether they are UTF-8 that is mostly not ASCII
 */
export function linesOf(
  who: number,
  first: number,
  bytes: number,
  longest: number,
  isText = false,
): Buffer {
  const random = randomNumbers(who * 1_000_003 + first);
  const lines: Buffer[] = [];
  const make = isText ? textLineOf : lineOf;
  for (let size = 0; size < bytes; ) {
    const line = make(who, first + lines.length, 2 + Math.floor(random() * (longest - 1)));
    lines.push(line);
    size += line.length;
  }
  return Buffer.concat(lines);
}
