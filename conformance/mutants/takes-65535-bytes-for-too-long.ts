/** Takes 65,535 bytes without an end for a line that is too long: one more could end it. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override received(client: Visitor, chunk: Buffer): void {
    super.received(client, chunk);
    if (client.kept.length === this.maxLine - 1) this.refuse(client);
  }
})().listen();
