/** Opens a file when a client resets whose output is pending, and never closes it. */
import { openSync } from 'node:fs';
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected({ socket }: Visitor): void {
    socket.on('close', () => {
      if (socket.writableLength > 0) openSync('/dev/null', 'r');
    });
  }
})().listen();
