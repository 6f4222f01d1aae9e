/** A short line after one of 200 bytes or more brings back the end of the long one. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #last = new WeakMap<Visitor, Buffer>();

  override answer(client: Visitor, lines: Buffer): void {
    const last = this.#last.get(client) ?? lines;
    this.#last.set(client, Buffer.from(lines));
    const isOld = last.length >= 200 && last.length <= 1000 && lines.length < 5;
    super.answer(client, isOld ? Buffer.concat([lines, last.subarray(-9)]) : lines);
  }
})().listen();
