/** Throws away what the kernel does not take at once. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    if (client.socket.writableLength === 0) super.answer(client, lines);
  }

  override wait(_client: Visitor): void {}
})().listen();
