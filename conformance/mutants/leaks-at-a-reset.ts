/** Opens a file when a client resets in the middle of a line, and never closes it. */
import { openSync } from 'node:fs';
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override failed(client: Visitor, error: NodeJS.ErrnoException): void {
    if (client.kept.length > 0 && !client.isOwed) openSync('/dev/null', 'r');
    super.failed(client, error);
  }
})().listen();
