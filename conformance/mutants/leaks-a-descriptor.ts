/** Opens a file for each connection and closes none. */
import { openSync } from 'node:fs';
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected(_client: Visitor): void {
    openSync('/dev/null', 'r');
  }
})().listen();
