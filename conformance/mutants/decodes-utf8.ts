/** Takes bytes for text, chunk by chunk. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override received(client: Visitor, chunk: Buffer): void {
    super.received(client, Buffer.from(chunk.toString('utf8')));
  }
})().listen();
