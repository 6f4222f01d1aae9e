/** Closes two seconds after the client's FIN, whatever is still to be sent. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override wait(client: Visitor): void {
    if (client.socket.writableLength > 1024 * 1024) super.wait(client);
  }

  override ended(client: Visitor): void {
    super.ended(client);
    setTimeout(() => client.socket.destroy(), 2000);
  }
})().listen();
