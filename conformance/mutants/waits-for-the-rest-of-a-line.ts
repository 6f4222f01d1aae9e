/** Serves nobody else while the line of one client lacks its LF, or is longer than 4 KiB. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override received(client: Visitor, chunk: Buffer): void {
    const holder = [...this.clients].find(
      ({ kept, socket }) => !socket.destroyed && (kept.length > 4096 || kept.at(-1) === 0x0d),
    );
    if (!holder || holder === client) super.received(client, chunk);
    else setTimeout(() => this.received(client, chunk), 5);
  }
})().listen();
