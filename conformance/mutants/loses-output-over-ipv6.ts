/** Over ::1, it takes the client's FIN for the end of everything. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override wait(client: Visitor): void {
    const { remoteFamily, writableLength } = client.socket;
    if (remoteFamily !== 'IPv6' || writableLength > 1024 * 1024) super.wait(client);
  }

  override ended(client: Visitor): void {
    if (client.socket.remoteFamily === 'IPv6') client.socket.destroy();
    else super.ended(client);
  }
})().listen();
