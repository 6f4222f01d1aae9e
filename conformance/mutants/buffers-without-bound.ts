/** Reads on, whatever waits to be sent. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override wait(_client: Visitor): void {}
})().listen();
