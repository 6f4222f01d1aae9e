/** A new client gets the buffer of the last one that left, with what is in it. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #left = Buffer.alloc(0);

  override connected(client: Visitor): void {
    client.kept = this.#left;
    this.#left = Buffer.alloc(0);
  }

  override ended(client: Visitor): void {
    this.#left = Buffer.from(client.kept);
    super.ended(client);
  }
})().listen();
