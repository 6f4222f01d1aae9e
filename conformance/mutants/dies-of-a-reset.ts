/** Has no handler for a connection's error. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override failed(_client: Visitor, error: Error): void {
    throw error;
  }
})().listen();
