/** Answers a little later, and no more once the client has sent its FIN. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer({ socket }: Visitor, lines: Buffer): void {
    setTimeout(() => socket.destroyed || socket.write(lines), 20);
  }

  override ended({ socket }: Visitor): void {
    socket.destroy();
  }
})().listen();
