/** Keeps the unfinished lines by the port of the client, whatever its address is. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #kept = new Map<number, Buffer>();

  override connected({ socket }: Visitor): void {
    const port = socket.remotePort ?? 0;
    socket.once('close', () => this.#kept.delete(port));
  }

  override received(client: Visitor, chunk: Buffer): void {
    const port = client.socket.remotePort ?? 0;
    client.kept = this.#kept.get(port) ?? client.kept;
    super.received(client, chunk);
    this.#kept.set(port, client.kept);
  }
})().listen();
