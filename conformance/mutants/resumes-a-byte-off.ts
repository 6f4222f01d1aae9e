/** After a short send it goes on one byte too far back, one time in twelve. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #shortSends = new WeakMap<Visitor, number>();

  override answer(client: Visitor, lines: Buffer): void {
    super.answer(client, lines);
    if (client.socket.writableLength === 0) return;
    const n = (this.#shortSends.get(client) ?? 0) + 1;
    this.#shortSends.set(client, n);
    if (n % 12 === 0) client.socket.write(lines.subarray(-1));
  }
})().listen();
