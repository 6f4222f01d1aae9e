/** When one client resets, the unfinished lines of all are gone. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override failed(client: Visitor, error: NodeJS.ErrnoException): void {
    for (const one of this.clients) one.kept = Buffer.alloc(0);
    super.failed(client, error);
  }
})().listen();
