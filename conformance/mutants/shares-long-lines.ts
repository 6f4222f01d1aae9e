/** Keeps the unfinished lines of all clients in one buffer, when they are longer than 8 KiB. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #shared = Buffer.alloc(65_536);

  override received(client: Visitor, chunk: Buffer): void {
    super.received(client, chunk);
    if (client.kept.length < 8192) return;
    client.kept.copy(this.#shared);
    client.kept = this.#shared.subarray(0, client.kept.length);
  }
})().listen();
