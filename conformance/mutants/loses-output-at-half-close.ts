/** Takes the client's FIN for the end of everything. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override ended({ socket }: Visitor): void {
    socket.destroy();
  }
})().listen();
