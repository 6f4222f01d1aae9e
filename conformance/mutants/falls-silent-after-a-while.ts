/** Answers a connection a hundred times, then no more. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #answers = new WeakMap<Visitor, number>();

  override answer(client: Visitor, lines: Buffer): void {
    const count = (this.#answers.get(client) ?? 0) + 1;
    this.#answers.set(client, count);
    if (count <= 100) super.answer(client, lines);
  }
})().listen();
