/** Keeps the unfinished lines of clients that have left, each in a buffer with room for a longer one. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #kept: Buffer[] = [];

  override ended(client: Visitor): void {
    // Filled, so that its memory is really taken.
    if (client.kept.length > 0) this.#kept.push(Buffer.alloc(1024 * 1024, client.kept));
    super.ended(client);
  }
})().listen();
