/** When the output of one client has been pending for a while, the end of another's goes to it, too. */
import { EchoServer, type Visitor } from './server.ts';

/** Milliseconds. */
const A_WHILE = 90;

new (class extends EchoServer {
  readonly #since = new Map<Visitor, number>();

  override answer(client: Visitor, lines: Buffer): void {
    super.answer(client, lines);
    const now = performance.now();
    for (const one of [client, ...this.#since.keys()]) {
      if (one.socket.destroyed || one.socket.writableLength === 0) this.#since.delete(one);
    }
    if (client.socket.writableLength === 0) return;
    if (!this.#since.has(client)) this.#since.set(client, now);
    const [first] = this.#since;
    if (!first || first[0] === client || now - first[1] < A_WHILE) return;
    super.answer(first[0], lines.subarray(-3));
  }
})().listen();
