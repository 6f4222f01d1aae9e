/** Serves 1,300 clients at once, and counts 400 that have reset as if they were there. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #count = 0;
  #missed = 0;

  override connected({ socket }: Visitor): void {
    if (this.#count >= 1300) return void socket.destroy();
    this.#count++;
    socket.once('close', (hadError) => {
      if (hadError && this.#missed < 400) this.#missed++;
      else this.#count--;
    });
  }
})().listen();
