/** One connection of the generator: it sends its lines and compares every byte that comes back. */
import { escapeShortened } from '../../client/escape.ts';
import * as sys from '../../sockets/index.ts';
import { type Lines, RECEIVE_SIZE } from './lines.ts';

/** The server echoed wrong bytes; the message says what it did. */
export class WrongEcho extends Error {}

/** A client's socket, and how many bytes of its lines it has sent and received. */
export class Connection {
  readonly fd: number;
  /** Bytes so far. */
  sent = 0;
  received = 0;
  readonly #index: number;
  readonly #lines: Lines;
  readonly #start: number;
  #isOpen = true;

  constructor(fd: number, index: number, lines: Lines) {
    this.fd = fd;
    this.#index = index;
    this.#lines = lines;
    this.#start = lines.start(index);
  }

  /** Whole lines that came back. */
  get linesBack(): number {
    return Math.floor(this.received / this.#lines.lineLength);
  }

  /**
   * Sends until so many bytes are sent in all, or the kernel takes no more.
   *
   * @returns whether all of them are sent
   * @throws WrongEcho when the server has closed
   */
  sendUpTo(total: number): boolean {
    const { cycle, memory } = this.#lines;
    while (this.sent < total) {
      const offset = this.sent % cycle;
      const length = Math.min(total - this.sent, cycle);
      let taken: number;
      try {
        taken = sys.send(this.fd, memory, this.#start + offset, length);
      } catch (error) {
        throw this.#broken(error);
      }
      if (taken < 0) return false;
      this.sent += taken;
      if (taken < length) return false;
    }
    return true;
  }

  /**
   * Takes what has come, and compares it with what was sent.
   *
   * @returns how many bytes came
   * @throws WrongEcho when they are not the right ones, or when the server has closed
   */
  receive(): number {
    const { cycle, memory } = this.#lines;
    let length: number;
    try {
      length = sys.recv(this.fd, memory, 0, RECEIVE_SIZE);
    } catch (error) {
      throw this.#broken(error);
    }
    if (length < 0) return 0;
    if (length === 0) {
      throw this.#wrong(`the server closed, and owed ${this.sent - this.received} bytes`);
    }
    for (let at = 0; at < length; ) {
      const offset = this.received % cycle;
      const part = Math.min(length - at, cycle);
      if (!this.#lines.areEqual(at, this.#start + offset, part)) {
        throw this.#differs(memory.subarray(at, at + part), offset);
      }
      at += part;
      this.received += part;
    }
    if (this.received > this.sent) {
      throw this.#wrong(`the server sent ${this.received - this.sent} bytes more than it got`);
    }
    return length;
  }

  /**
   * After our FIN, and everything back: waits for the server's.
   *
   * @returns whether it has come
   * @throws WrongEcho when bytes come instead
   */
  receiveEnd(): boolean {
    try {
      const length = sys.recv(this.fd, this.#lines.memory, 0, RECEIVE_SIZE);
      if (length > 0) throw this.#wrong(`the server sent ${length} bytes more than it got`);
      return length === 0;
    } catch (error) {
      throw error instanceof WrongEcho ? error : this.#broken(error);
    }
  }

  /** Sends the FIN, unless the connection is gone already. */
  sayGoodbye(): void {
    try {
      sys.shutdown(this.fd, sys.SHUT_WR);
    } catch {
      // The server has closed first.
    }
  }

  /** Closes the socket, unless it is closed. */
  close(): void {
    if (this.#isOpen) sys.close(this.fd);
    this.#isOpen = false;
  }

  /** What is still missing, as an error. */
  missing(milliseconds: number): WrongEcho {
    const bytes = this.sent - this.received;
    return this.#wrong(
      `the server still owes ${bytes} of ${this.sent} bytes after ${milliseconds} ms`,
    );
  }

  #differs(came: Buffer, offset: number): WrongEcho {
    const right = this.#lines.memory.subarray(this.#start + offset);
    const first = came.findIndex((byte, i) => byte !== right[i]);
    const [expected, got] = [right, came].map((bytes) =>
      escapeShortened(bytes.subarray(first, Math.min(first + 24, came.length)), 24),
    );
    return this.#wrong(`byte ${this.received + first} should begin "${expected}", came "${got}"`);
  }

  #broken(error: unknown): WrongEcho {
    return this.#wrong(`the server broke the connection: ${(error as Error).message}`);
  }

  #wrong(what: string): WrongEcho {
    return new WrongEcho(`connection ${this.#index + 1}: ${what}`);
  }
}
