/** Echoes whatever recv returned, complete or not. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override received(client: Visitor, chunk: Buffer): void {
    this.answer(client, chunk);
    if (client.socket.writableLength > 0) this.wait(client);
  }
})().listen();
