/** The timer of a client whose line was too long is not cleared when it leaves: it ends who has its place then. */
import { EchoServer, type Visitor } from './server.ts';

interface Place {
  readonly client: Visitor;
  heardAt: number;
}

new (class extends EchoServer {
  readonly #places: (Place | undefined)[] = [];

  override connected(client: Visitor): void {
    const free = this.#places.findIndex((one) => !one);
    const at = free < 0 ? this.#places.length : free;
    const place = { client, heardAt: performance.now() };
    this.#places[at] = place;
    client.socket.on('data', () => {
      place.heardAt = performance.now();
    });
    client.socket.once('close', () => {
      this.#places[at] = undefined;
    });
  }

  override refuse(client: Visitor): void {
    super.refuse(client);
    const at = this.#places.findIndex((one) => one?.client === client);
    setTimeout(() => {
      const there = this.#places[at];
      if (!there || there.client === client || there.client.kept.length === 0) return;
      // Only who says nothing for a while: others would be ended now and then, by chance.
      if (performance.now() - there.heardAt > 1000) there.client.socket.destroy();
    }, 2500).unref();
  }
})().listen();
