/**
 * How a server that ends lines in LF looks through a check's eyes: what answers a CR LF that was sent is
 * shown as CR LF. Everything else is shown as it came.
 */

/** `out`: takes CR LF, answers LF. `both`: takes LF only, and answers LF. */
export type LineEnds = 'out' | 'both';

const CR = 0x0d;
const LF = 0x0a;
const CRLF = Buffer.from('\r\n');

/** For one connection. */
export class Lens {
  readonly #lineEnds: LineEnds;
  /** What was sent, and is not answered yet. */
  readonly #sent: Uint8Array[] = [];
  #first = 0;
  #at = 0;
  /** A CR that was not sent yet: an LF may follow it. */
  #isHolding = false;
  /** Something came that is no echo: nothing can be told from what was sent any more. */
  #isLost = false;

  constructor(lineEnds: LineEnds) {
    this.#lineEnds = lineEnds;
  }

  /** @returns what goes out for it */
  sent(bytes: Uint8Array): Uint8Array {
    this.#sent.push(bytes);
    if (this.#lineEnds === 'out') return bytes;
    const out = Buffer.allocUnsafe(bytes.length + 1);
    let length = 0;
    for (const byte of bytes) {
      if (this.#isHolding && byte !== LF) out[length++] = CR;
      this.#isHolding = byte === CR;
      if (!this.#isHolding) out[length++] = byte;
    }
    return out.subarray(0, length);
  }

  /** @returns what is shown for it */
  received(bytes: Uint8Array): Buffer {
    const shown: Uint8Array[] = [];
    let from = 0;
    for (let i = 0; i < bytes.length && !this.#isLost; i++) {
      if (bytes[i] === LF && this.#next(0) === CR && this.#next(1) === LF) {
        shown.push(bytes.subarray(from, i), CRLF);
        from = i + 1;
        this.#advance(2);
      } else if (bytes[i] === this.#next(0)) this.#advance(1);
      else this.#isLost = true;
    }
    return Buffer.concat([...shown, bytes.subarray(from)]);
  }

  /** The byte that is due in so many bytes. */
  #next(ahead: number): number | undefined {
    let at = this.#at + ahead;
    for (let i = this.#first; i < this.#sent.length; i++) {
      const piece = this.#sent[i] as Uint8Array;
      if (at < piece.length) return piece[at];
      at -= piece.length;
    }
    return undefined;
  }

  #advance(by: number): void {
    this.#at += by;
    for (;;) {
      const piece = this.#sent[this.#first];
      if (!piece || this.#at < piece.length) break;
      this.#at -= piece.length;
      this.#sent[this.#first++] = new Uint8Array(0);
    }
    if (this.#first < 1000) return;
    this.#sent.splice(0, this.#first);
    this.#first = 0;
  }
}
