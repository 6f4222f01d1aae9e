/** Each client that does not read holds one of ten hands. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #writing = 0;

  override wait(client: Visitor): void {
    client.socket.pause();
    this.#writing++;
    client.socket.write('', () => {
      this.#writing--;
      client.socket.resume();
    });
  }

  override received(client: Visitor, chunk: Buffer): void {
    if (this.#writing < 10) super.received(client, chunk);
    else setTimeout(() => this.received(client, chunk), 10);
  }
})().listen();
