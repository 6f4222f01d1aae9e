/** Goes on looking at a client that has left. */
import { EchoServer, spin, type Visitor } from './server.ts';

new (class extends EchoServer {
  #isSpinning = false;

  override ended(client: Visitor): void {
    super.ended(client);
    if (!this.#isSpinning) spin();
    this.#isSpinning = true;
  }
})().listen();
