/** Sends to a client that is gone, and has no handler for that. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override failed(client: Visitor, error: NodeJS.ErrnoException): void {
    if (error.syscall === 'write') throw error;
    super.failed(client, error);
  }
})().listen();
