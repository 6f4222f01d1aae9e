/** Keeps the pieces of a line in a list of 1,024 places: what comes then is lost. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #pieces = new WeakMap<Visitor, number>();

  override received(client: Visitor, chunk: Buffer): void {
    const pieces = chunk.includes('\n') ? 0 : (this.#pieces.get(client) ?? 0) + 1;
    this.#pieces.set(client, pieces);
    if (pieces <= 1024) super.received(client, chunk);
  }
})().listen();
