/**
 * What the connections send: each connection repeats lines of its own, and each line differs from all others, even
 * from those of other crowds and other generators. So if a server mixes up bytes, lines or clients, the comparison
 * fails.
 *
 * The bytes are printable ASCII, because some servers decode what they receive, and this measures only their speed.
 * Whether they echo other bytes correctly is for the conformance suite to check.
 */

/** Bytes that one recv(2) takes at most. */
export const RECEIVE_SIZE = 1024 * 1024;

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-');

let made = 0;

/**
 * The seed of a crowd's random numbers, different for each crowd of each generator. Not 0, because then all
 * numbers would be 0.
 */
function seed(): number {
  return Math.imul(process.pid * 4096 + made++, 0x9e3779b1) || 1;
}

/** The lines of a crowd. */
export class Lines {
  /** Bytes of a line, its CR LF included. */
  readonly lineLength: number;
  /** Bytes after which a connection's lines begin again. */
  readonly cycle: number;
  /**
   * The receive area, then the connections' cycles, each twice in a row so that every stretch of one
   * cycle's length is contiguous. One buffer for all: the address of one is asked for once.
   */
  readonly memory: Buffer;

  /**
   * @param lineLength - 16 bytes or more: shorter lines could repeat
   * @param perConnection - different lines for each connection; more than are in flight, so that a
   *   line that is lost cannot be taken for the next that looks like it
   */
  constructor(connections: number, lineLength: number, perConnection: number) {
    this.lineLength = lineLength;
    this.cycle = lineLength * perConnection;
    this.memory = Buffer.allocUnsafeSlow(RECEIVE_SIZE + connections * this.cycle * 2);
    let random = seed();
    for (let connection = 0; connection < connections; connection++) {
      const start = this.start(connection);
      for (let at = start; at < start + this.cycle; at++) {
        random ^= random << 13;
        random ^= random >>> 17;
        random ^= random << 5;
        this.memory[at] = ALPHABET[random & 63] as number;
      }
      for (let end = start + lineLength; end <= start + this.cycle; end += lineLength) {
        this.memory.write('\r\n', end - 2, 'latin1');
      }
      this.memory.copy(this.memory, start + this.cycle, start, start + this.cycle);
    }
  }

  /** Where in `memory` a connection's cycle begins. */
  start(connection: number): number {
    return RECEIVE_SIZE + connection * this.cycle * 2;
  }

  /** Whether `length` bytes at two places of `memory` are the same. */
  areEqual(a: number, b: number, length: number): boolean {
    const { memory } = this;
    // A call into C++ costs as much as a short line.
    if (length > 200) return memory.compare(memory, b, b + length, a, a + length) === 0;
    for (let i = 0; i < length; i++) if (memory[a + i] !== memory[b + i]) return false;
    return true;
  }
}
