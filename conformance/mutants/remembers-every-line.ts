/** Keeps a copy of every line that it has answered. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #said: Buffer[] = [];

  override answer(client: Visitor, lines: Buffer): void {
    this.#said.push(Buffer.alloc(lines.length, lines));
    super.answer(client, lines);
  }
})().listen();
