/** Has fifty hands: who comes when all are full waits. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #waiting: Visitor[] = [];

  override connected(client: Visitor): void {
    client.socket.once('close', () => this.#waiting.shift()?.socket.resume());
    if (this.clients.size <= 50) return;
    client.socket.pause();
    this.#waiting.push(client);
  }
})().listen();
