/** Looks for CR LF only in what one recv returned. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override received(client: Visitor, chunk: Buffer): void {
    if (chunk.includes('\r\n')) super.received(client, chunk);
    else client.kept = Buffer.concat([client.kept, chunk]);
    if (client.kept.length >= this.maxLine) this.refuse(client);
  }
})().listen();
