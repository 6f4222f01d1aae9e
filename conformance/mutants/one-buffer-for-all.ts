/** Keeps the unfinished lines of all clients in one buffer. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #kept: Buffer = Buffer.alloc(0);

  override received(client: Visitor, chunk: Buffer): void {
    client.kept = this.#kept;
    super.received(client, chunk);
    this.#kept = client.kept;
  }
})().listen();
