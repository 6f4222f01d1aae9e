/** Of the connections whose output is pending when the FIN comes, it closes one in five at once. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #count = 0;

  /** Reads on until 1 MiB waits to be sent: some does when the FIN comes. */
  override wait(client: Visitor): void {
    if (client.socket.writableLength > 1024 * 1024) super.wait(client);
  }

  override ended(client: Visitor): void {
    if (client.socket.writableLength > 0 && ++this.#count % 5 === 0) client.socket.destroy();
    else super.ended(client);
  }
})().listen();
