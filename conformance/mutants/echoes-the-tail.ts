/** Sends what is left at the end of input. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override ended({ socket, kept }: Visitor): void {
    socket.end(kept);
  }
})().listen();
