/** Serves 1,020 clients at once, and nobody beyond, as select(2) would have it. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected({ socket }: Visitor): void {
    if (this.clients.size > 1020) socket.pause();
  }
})().listen();
