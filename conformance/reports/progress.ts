/** What is being done now, on a terminal: one line that is written over. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(text: string): void {
    // A line that is wrapped could not be written over; some terminals tell no size, or 0.
    const width = (this.#stream.columns || 80) - 1;
    this.#write(`\r\x1b[K${`  … ${text}`.slice(0, width)}`);
  }

  clear(): void {
    this.#write('\r\x1b[K');
  }

  #write(text: string): void {
    if (this.#stream.isTTY) this.#stream.write(text);
  }
}
