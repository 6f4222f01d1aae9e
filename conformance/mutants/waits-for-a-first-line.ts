/** Serves nobody until the client that came last has said something. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #awaited: Visitor | undefined;

  override connected(client: Visitor): void {
    if (this.#awaited) client.socket.pause();
    else this.#await(client);
  }

  #await(client: Visitor): void {
    this.#awaited = client;
    client.socket.resume();
    const goOn = () => {
      if (this.#awaited !== client) return;
      this.#awaited = undefined;
      for (const one of this.clients) {
        if (!one.socket.isPaused() || one.socket.bytesRead > 0) continue;
        this.#await(one);
        break;
      }
    };
    client.socket.once('data', goOn);
    client.socket.once('end', goOn);
    client.socket.once('close', goOn);
  }
})().listen();
