/** Shows what is being measured and how long it will take: in one line that is rewritten, or a line for each step. */
export class Progress {
  readonly #total: number;
  #done = 0;
  #running = 0;
  readonly #startedAt = performance.now();
  readonly #stream: NodeJS.WriteStream;

  /** @param total - seconds that all steps together are estimated to take */
  constructor(total: number, stream: NodeJS.WriteStream = process.stderr) {
    this.#total = total;
    this.#stream = stream;
  }

  /** @param seconds - the estimate for this step */
  step(what: string, seconds: number): void {
    this.#done += this.#running;
    this.#running = seconds;
    const line = `${this.#left()} · ${what}`;
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[K${line.slice(0, (this.#stream.columns || 80) - 1)}`);
    } else {
      this.#stream.write(`${line}\n`);
    }
  }

  /** Makes room for other output. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }

  /** The remaining time, corrected by how long the steps so far have really taken. */
  #left(): string {
    const elapsed = (performance.now() - this.#startedAt) / 1000;
    const pace = this.#done > 5 ? elapsed / this.#done : 1;
    const seconds = Math.round(Math.max(0, (this.#total - this.#done) * pace));
    const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
    return `${minutes}:${`${rest}`.padStart(2, '0')} left`;
  }
}
