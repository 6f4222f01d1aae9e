/** Has a handler for errors of send, but not where it sends an answer of 8 KiB and more to a client that is gone. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #long = new Set<Visitor>();

  override answer(client: Visitor, lines: Buffer): void {
    if (lines.indexOf('\r\n') >= 8192) this.#long.add(client);
    super.answer(client, lines);
  }

  override failed(client: Visitor, error: NodeJS.ErrnoException): void {
    if (this.#long.has(client)) throw error;
    super.failed(client, error);
  }
})().listen();
