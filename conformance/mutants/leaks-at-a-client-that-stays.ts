/** Opens a file when it has waited a second for a client whose line was too long, and never closes it. */
import { openSync } from 'node:fs';
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override refuse(client: Visitor): void {
    const waiting = setTimeout(() => openSync('/dev/null', 'r'), 1000);
    client.socket.once('end', () => clearTimeout(waiting));
    client.socket.once('error', () => clearTimeout(waiting));
    super.refuse(client);
  }
})().listen();
