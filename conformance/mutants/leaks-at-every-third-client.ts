/** Opens a file for every third client, and never closes it. */
import { openSync } from 'node:fs';
import { EchoServer } from './server.ts';

new (class extends EchoServer {
  #count = 0;

  override connected(): void {
    if (++this.#count % 3 === 0) openSync('/dev/null', 'r');
  }
})().listen();
