/** Opens a file when a line is too long, and never closes it. */
import { openSync } from 'node:fs';
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override refuse(client: Visitor): void {
    openSync('/dev/null', 'r');
    super.refuse(client);
  }
})().listen();
