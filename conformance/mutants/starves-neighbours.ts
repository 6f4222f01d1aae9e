/** Serves one client as long as it goes on sending: the others wait until it has paused. */
import { EchoServer, type Visitor } from './server.ts';

/** Who has sent nothing for so long has paused, in milliseconds: less may be a busy machine. */
const SILENCE = 400;

new (class extends EchoServer {
  #busyWith: Visitor | undefined;
  #since = 0;
  #run = 0;

  override received(client: Visitor, chunk: Buffer): void {
    const now = performance.now();
    if (now - this.#since > SILENCE || this.#busyWith?.socket.destroyed) this.#busyWith = undefined;
    if (this.#busyWith && this.#busyWith !== client && this.#run > 2 * 1024 * 1024) {
      client.socket.pause(); // or what comes next would overtake it
      setTimeout(() => {
        client.socket.resume();
        this.received(client, chunk);
      }, 5);
      return;
    }
    this.#run = this.#busyWith === client ? this.#run + chunk.length : 0;
    this.#busyWith = client;
    this.#since = now;
    super.received(client, chunk);
  }
})().listen();
