/** Reads on until 24 MiB wait to be sent. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override wait(client: Visitor): void {
    if (client.socket.writableLength > 24 * 1024 * 1024) super.wait(client);
  }
})().listen();
