/** Keeps copies of every line that it has answered: one for each of eight logs. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #said: Buffer[] = [];

  override answer(client: Visitor, lines: Buffer): void {
    this.#said.push(Buffer.alloc(8 * lines.length, lines));
    super.answer(client, lines);
  }
})().listen();
