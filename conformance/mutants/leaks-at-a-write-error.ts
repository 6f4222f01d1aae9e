/** Opens a file when a client resets whose output is pending, and never closes it. */
import { openSync } from 'node:fs';
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected(client: Visitor): void {
    client.socket.on('close', () => {
      if (client.isOwed) openSync('/dev/null', 'r');
    });
  }
})().listen();
