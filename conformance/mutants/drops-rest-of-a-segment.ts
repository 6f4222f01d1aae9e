/** Throws away what follows the last CR LF of a short segment. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override received(client: Visitor, chunk: Buffer): void {
    super.received(client, chunk);
    if (chunk.length < 64 && chunk.includes('\r\n')) client.kept = Buffer.alloc(0);
  }
})().listen();
