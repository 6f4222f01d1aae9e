/** Whoever comes from the port of the last client that reset gets its unfinished line. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #last = { port: 0, kept: Buffer.alloc(0) };
  readonly #ports = new WeakMap<Visitor, number>();

  override connected(client: Visitor): void {
    const port = client.socket.remotePort ?? 0;
    this.#ports.set(client, port);
    if (port === this.#last.port) client.kept = this.#last.kept;
  }

  override failed(client: Visitor, error: NodeJS.ErrnoException): void {
    this.#last = { port: this.#ports.get(client) ?? 0, kept: Buffer.from(client.kept) };
    super.failed(client, error);
  }
})().listen();
