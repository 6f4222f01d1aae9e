/** Bytes that have arrived and have not been taken yet: chunks, consumed from the front. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;
  // Where the search for a line's end stopped: a long line in small pieces is searched only once.
  #searched = { chunks: 0, bytes: 0 };

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The first `n` bytes, or all there are if that is fewer; they stay in the queue. */
  peek(n: number): Buffer {
    const parts: Buffer[] = [];
    let missing = Math.min(n, this.#length);
    for (const chunk of this.#chunks) {
      if (missing === 0) break;
      const part = chunk.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** The first `n` bytes, or all there are if that is fewer; they leave the queue. */
  take(n: number): Buffer {
    const taken = this.peek(n);
    let leaving = taken.length;
    let whole = 0;
    for (const chunk of this.#chunks) {
      if (chunk.length > leaving) break;
      leaving -= chunk.length;
      whole += 1;
    }
    this.#chunks.splice(0, whole);
    const first = this.#chunks[0];
    if (first && leaving > 0) this.#chunks[0] = first.subarray(leaving);
    this.#length -= taken.length;
    this.#searched = { chunks: 0, bytes: 0 };
    return taken;
  }

  clear(): void {
    this.take(this.#length);
  }

  /** The length of the first line, its terminator included; `undefined` while it is unfinished. */
  lineLength(terminator: '\r\n' | '\n'): number | undefined {
    let { chunks, bytes } = this.#searched;
    for (; chunks < this.#chunks.length; chunks += 1) {
      const chunk = this.#chunks[chunks] as Buffer;
      for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) {
        const before = at > 0 ? chunk[at - 1] : this.#chunks[chunks - 1]?.at(-1);
        if (terminator === '\n' || before === 0x0d) return bytes + at + 1;
      }
      bytes += chunk.length;
    }
    this.#searched = { chunks, bytes };
    return undefined;
  }
}
