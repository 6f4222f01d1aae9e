/** Reads what is left of a line that was too long in a loop of its own, for a second: everybody waits. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override refuse(client: Visitor): void {
    super.refuse(client);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  }
})().listen();
