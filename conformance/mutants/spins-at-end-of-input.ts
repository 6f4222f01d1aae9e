/** Never notices the end of input, and reads again and again. */
import { EchoServer, spin } from './server.ts';

new (class extends EchoServer {
  #isSpinning = false;

  override ended(): void {
    if (!this.#isSpinning) spin();
    this.#isSpinning = true;
  }
})().listen();
