/** Serves 1,160 clients at once, and counts 600 that have reset as if they were there. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #count = 0;
  #missed = 0;

  override connected({ socket }: Visitor): void {
    if (this.#count >= 1160) return void socket.destroy();
    this.#count++;
    socket.once('close', (hadError) => {
      if (hadError && this.#missed < 600) this.#missed++;
      else this.#count--;
    });
  }
})().listen();
