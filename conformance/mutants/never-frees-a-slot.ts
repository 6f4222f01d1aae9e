/** Has room for 250 clients, in all. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #slots = 250;

  override connected({ socket }: Visitor): void {
    if (--this.#slots < 0) socket.pause();
  }
})().listen();
