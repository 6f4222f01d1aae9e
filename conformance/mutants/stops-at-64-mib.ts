/** Answers a connection 64 MiB, then no more. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    if (client.socket.bytesWritten < 64 * 1024 * 1024) super.answer(client, lines);
  }
})().listen();
