/** Has room for one client, and closes on the next. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected({ socket }: Visitor): void {
    socket.pause();
    // The one before may just be leaving.
    setTimeout(() => {
      if (this.clients.size > 1) socket.destroy();
      else socket.resume();
    }, 10);
  }
})().listen();
