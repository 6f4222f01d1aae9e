/** Answers a connection a hundred thousand lines, then no more. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #lines = new WeakMap<Visitor, number>();

  override answer(client: Visitor, lines: Buffer): void {
    let count = this.#lines.get(client) ?? 0;
    for (let at = lines.indexOf('\r\n'); at >= 0; at = lines.indexOf('\r\n', at + 2)) count++;
    this.#lines.set(client, count);
    if (count <= 100_000) super.answer(client, lines);
  }
})().listen();
