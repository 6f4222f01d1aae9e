/** Serves 500 clients at once, and nobody beyond. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected({ socket }: Visitor): void {
    if (this.clients.size > 500) socket.pause();
  }
})().listen();
