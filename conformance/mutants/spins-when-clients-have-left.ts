/** Goes on looking at a client that has left. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override ended(client: Visitor): void {
    super.ended(client);
    const lookAgain = () => setImmediate(lookAgain);
    lookAgain();
  }
})().listen();
