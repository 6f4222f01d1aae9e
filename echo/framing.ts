/**
 * Line framing over bytes.
 *
 * An echo need not cut its input into lines. It needs to know where the last complete line ends: everything
 * up to there goes back in one piece, and only the unfinished rest, the tail, is copied and kept. Each byte is
 * examined once when it arrives, and at most once more when its line turns out to be long. So the cost is linear
 * in the number of bytes, however they are split.
 */

const CR = 0x0d;
const LF = 0x0a;
const EMPTY = Buffer.alloc(0);

/** Shared by all connections, so that a silent one costs little memory. */
const TERMINATOR = { crlf: Buffer.from([CR, LF]), lf: Buffer.from([LF]) };

/** Bytes. A larger tail buffer is not kept for the next tail, because most connections are idle. */
const SMALL_TAIL = 2048;

/** How a line ends: `crlf` is the protocol; `lf` suits a plain `nc`. */
export type EndOfLine = 'crlf' | 'lf';

/** Complete lines in a buffer, from `start` to `end`; none when the two are equal. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** What is known of an unfinished line. */
export type Tail = Pick<LineFramer, 'tailLength' | 'tailHasBareLf'>;

/** Cuts one connection's input into what is complete and what is not. */
export class LineFramer {
  readonly #terminator: Buffer;
  readonly #maxLine: number;
  #tail = EMPTY;
  #tailLength = 0;
  #tailHasBareLf = false;
  #overlong = false;

  /**
   * @param maxLine - the longest line there may be, in bytes with its terminator, 2 or more
   */
  constructor(endOfLine: EndOfLine, maxLine: number) {
    this.#terminator = TERMINATOR[endOfLine];
    this.#maxLine = maxLine;
  }

  /**
   * Whether a line has grown beyond the limit. The lines before it have been returned. Nothing after them will
   * be, whatever is pushed: the connection must be ended.
   */
  get overlong(): boolean {
    return this.#overlong;
  }

  /** The reason for the log, when `overlong`. */
  get overlongReason(): string {
    return `a line is longer than ${this.#maxLine} bytes`;
  }

  /** Whether it keeps nothing of its input: it is as good as a new one. */
  get isEmpty(): boolean {
    return this.#tailLength === 0 && !this.#overlong;
  }

  /** How many bytes wait for their terminator. */
  get tailLength(): number {
    return this.#tailLength;
  }

  /** Whether the unfinished line has bare LFs in it: its sender may have meant them as line ends. */
  get tailHasBareLf(): boolean {
    return this.#tailHasBareLf;
  }

  /**
   * Takes what one read returned.
   *
   * @returns the bytes of all complete lines, in order, in at most two buffers: the earlier tail, if there was
   *   one, and the chunk up to its last terminator (not a copy)
   */
  push(chunk: Buffer): Buffer[] {
    const end = this.#complete(chunk, 0, chunk.length);
    if (end === 0) {
      this.#keep(chunk, 0, chunk.length);
      return [];
    }
    const run = end === chunk.length ? chunk : chunk.subarray(0, end);
    const pieces = this.#tailLength === 0 ? [run] : [this.#takeTail(), run];
    this.#keep(chunk, end, chunk.length);
    return pieces;
  }

  /**
   * As `push`, for a server with one receive buffer for all connections. The earlier tail is copied in front of
   * the new bytes, so that one send takes both. The caller leaves room for it: `start` is at least the length
   * of the longest line.
   *
   * @param buffer - holds the new bytes, from `start` to `end`
   * @returns where the complete lines are in `buffer`
   */
  frame(buffer: Buffer, start: number, end: number): Run {
    let runStart = start;
    const runEnd = this.#complete(buffer, start, end);
    if (runEnd > start && this.#tailLength > 0) {
      runStart -= this.#tailLength;
      this.#tail.copy(buffer, runStart, 0, this.#tailLength);
      this.#dropTail();
      if (this.#tail.length > SMALL_TAIL) this.#tail = EMPTY;
    }
    this.#keep(buffer, runEnd, end);
    return { start: runStart, end: runEnd };
  }

  /** Where the last complete line in the new bytes ends; `start` when none does. */
  #complete(bytes: Buffer, start: number, end: number): number {
    if (this.#overlong || start === end) return start;
    const runEnd = this.#lastLineEnd(bytes, start, end);
    // A line can be too long only if the bytes are at least as many as the limit.
    if (this.#tailLength + end - start < this.#maxLine) return runEnd;
    return this.#withinLimit(bytes, start, end, runEnd);
  }

  /** Searches backwards from the end, because in most reads the last byte ends a line. */
  #lastLineEnd(bytes: Buffer, start: number, end: number): number {
    const isCrLf = this.#terminator.length === 2;
    if (bytes[end - 1] === LF && (!isCrLf || this.#isCr(bytes, end - 2, start))) return end;
    const at = bytes.subarray(start, end).lastIndexOf(this.#terminator);
    if (at >= 0) return start + at + this.#terminator.length;
    // A terminator that is split between two reads: the CR is in the tail.
    return isCrLf && bytes[start] === LF && this.#isCr(bytes, start - 1, start) ? start + 1 : start;
  }

  #isCr(bytes: Buffer, index: number, start: number): boolean {
    if (index >= start) return bytes[index] === CR;
    return this.#tailLength > 0 && this.#tail[this.#tailLength - 1] === CR;
  }

  /**
   * Leaps from line end to line end, each time at most as far as a line may be long. If there is no line end
   * within that distance, the line is too long.
   *
   * @returns where the last line before the overlong one ends; `runEnd` if all are short enough
   */
  #withinLimit(bytes: Buffer, start: number, end: number, runEnd: number): number {
    let lineStart = start - this.#tailLength;
    while (end - lineStart >= this.#maxLine) {
      const limit = lineStart + this.#maxLine;
      const lineEnd = limit >= runEnd ? runEnd : this.#lastLineEnd(bytes, start, limit);
      if (lineEnd <= Math.max(lineStart, start)) {
        this.#overlong = true;
        return Math.max(lineStart, start);
      }
      lineStart = lineEnd;
    }
    return runEnd;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    if (this.#overlong) this.#dropTail();
    if (this.#overlong || start === end) return;
    const needed = this.#tailLength + end - start;
    if (needed > this.#tail.length) {
      // Doubling, so that a line that comes byte by byte costs constant time for each byte.
      const capacity = Math.min(Math.max(needed, 2 * this.#tail.length, 64), this.#maxLine);
      const larger = Buffer.allocUnsafeSlow(capacity);
      this.#tail.copy(larger, 0, 0, this.#tailLength);
      this.#tail = larger;
    }
    bytes.copy(this.#tail, this.#tailLength, start, end);
    this.#tailHasBareLf ||= this.#tail.subarray(this.#tailLength, needed).includes(LF);
    this.#tailLength = needed;
  }

  #takeTail(): Buffer {
    const tail = this.#tail.subarray(0, this.#tailLength);
    this.#tail = EMPTY;
    this.#dropTail();
    return tail;
  }

  #dropTail(): void {
    this.#tailLength = 0;
    this.#tailHasBareLf = false;
  }
}

/** Cuts a run of complete lines into its lines, terminators included, without copying. */
export function* linesOf(run: Buffer, endOfLine: EndOfLine): Generator<Buffer> {
  const terminator = endOfLine === 'crlf' ? '\r\n' : '\n';
  for (let start = 0; start < run.length; ) {
    const end = run.indexOf(terminator, start) + terminator.length;
    yield run.subarray(start, end);
    start = end;
  }
}
