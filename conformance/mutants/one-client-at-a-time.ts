/** Looks at the next client when the one before it has left. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #waiting: Visitor[] = [];
  #current: Visitor | undefined;

  override connected(client: Visitor): void {
    client.socket.pause();
    this.#waiting.push(client);
    if (!this.#current) this.#next();
  }

  #next(): void {
    this.#current = this.#waiting.shift();
    if (!this.#current) return;
    const { socket } = this.#current;
    if (socket.destroyed) {
      this.#next();
      return;
    }
    socket.once('close', () => this.#next());
    socket.resume();
  }
})().listen();
