/** Keeps the unfinished lines of clients that have left. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #kept: Buffer[] = [];

  override ended(client: Visitor): void {
    // A copy: what a chunk was is filled, so that its memory is really taken.
    if (client.kept.length > 0) this.#kept.push(Buffer.alloc(client.kept.length, client.kept));
    super.ended(client);
  }
})().listen();
