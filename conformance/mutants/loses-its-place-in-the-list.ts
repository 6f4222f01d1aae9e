/** Goes through a list of what has come, and takes out those who have left: who comes behind them is passed over. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #list: { client: Visitor; chunk: Buffer }[] = [];
  #hasLeft = false;

  override received(client: Visitor, chunk: Buffer): void {
    if (this.#list.length === 0) setImmediate(() => this.#goThrough());
    this.#list.push({ client, chunk });
  }

  override failed(client: Visitor, error: NodeJS.ErrnoException): void {
    this.#hasLeft = this.#list.length > 0;
    super.failed(client, error);
  }

  #goThrough(): void {
    const list = this.#list.splice(0);
    // Where few come at once, it does not show.
    if (this.#hasLeft && list.length > 4) list.splice(-1);
    this.#hasLeft = false;
    for (const { client, chunk } of list) {
      if (!client.socket.destroyed) super.received(client, chunk);
    }
  }
})().listen();
