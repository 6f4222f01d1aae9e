/** Keeps an unfinished line however long it grows. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #kept = new WeakMap<Visitor, Buffer[]>();

  override received(client: Visitor, chunk: Buffer): void {
    const pieces = this.#kept.get(client) ?? [];
    pieces.push(chunk);
    if (chunk.includes('\n')) {
      const all = Buffer.concat(pieces.splice(0));
      const end = all.lastIndexOf('\r\n') + 2;
      if (end >= 2) this.answer(client, all.subarray(0, end));
      pieces.push(end >= 2 ? all.subarray(end) : all);
    }
    this.#kept.set(client, pieces);
    if (client.socket.writableLength > 0) this.wait(client);
  }
})().listen();
