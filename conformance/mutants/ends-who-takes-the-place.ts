/** The timer of a client whose line was too long is not cleared when it leaves: it ends who has its place then. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #places: (Visitor | undefined)[] = [];

  override connected(client: Visitor): void {
    const free = this.#places.findIndex((one) => !one);
    const place = free < 0 ? this.#places.length : free;
    this.#places[place] = client;
    client.socket.once('close', () => {
      this.#places[place] = undefined;
    });
  }

  override refuse(client: Visitor): void {
    super.refuse(client);
    const place = this.#places.indexOf(client);
    setTimeout(() => {
      const there = this.#places[place];
      if (there !== client && there && there.kept.length > 0) there.socket.destroy();
    }, 1500).unref();
  }
})().listen();
