/** Closes at once when a line is too long, and never reads what is behind it. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override refuse({ socket }: Visitor): void {
    socket.removeAllListeners('data');
    socket.pause();
    socket.end(() => socket.destroy());
  }
})().listen();
