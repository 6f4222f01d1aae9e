/** What a client that is gone has not taken goes to the next one, behind its second line. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #pending: Buffer | undefined;
  readonly #lines = new WeakMap<Visitor, number>();

  override connected(client: Visitor): void {
    client.socket.on('close', () => {
      if (client.isOwed) this.#pending = Buffer.from('not yours\r\n');
    });
  }

  override answer(client: Visitor, lines: Buffer): void {
    const n = (this.#lines.get(client) ?? 0) + 1;
    this.#lines.set(client, n);
    super.answer(client, lines);
    if (n < 2 || !this.#pending) return;
    super.answer(client, this.#pending);
    this.#pending = undefined;
  }
})().listen();
