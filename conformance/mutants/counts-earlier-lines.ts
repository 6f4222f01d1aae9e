/** Counts the lines that came in front of a line, in the same read, towards its length. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #before = new WeakMap<Visitor, number>();

  override received(client: Visitor, chunk: Buffer): void {
    const length = client.kept.length + chunk.length;
    super.received(client, chunk);
    const isAnswered = client.kept.length < length;
    if (isAnswered) this.#before.set(client, length - client.kept.length);
    const before = this.#before.get(client) ?? 0;
    // What is read at once may be full of lines: only what is behind the last of them is a line that grows.
    if (!isAnswered && before < 1000 && client.kept.length + before > this.maxLine) {
      this.refuse(client);
    }
  }
})().listen();
