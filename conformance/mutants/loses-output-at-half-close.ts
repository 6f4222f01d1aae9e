/** Takes the client's FIN for the end of everything. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  /** Reads on until 1 MiB waits to be sent: some does when the FIN comes, whatever the kernel takes. */
  override wait(client: Visitor): void {
    if (client.socket.writableLength > 1024 * 1024) super.wait(client);
  }

  override ended({ socket }: Visitor): void {
    socket.destroy();
  }
})().listen();
