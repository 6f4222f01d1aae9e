/** Has room for one client, and closes on who comes meanwhile. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected(client: Visitor): void {
    if (this.#isFirst(client)) return;
    client.socket.pause();
    // The one before may just be leaving, and the timer be before the event that says so.
    setTimeout(() => setImmediate(() => this.#decide(client)), 100);
  }

  #decide(client: Visitor): void {
    if (this.#isFirst(client)) client.socket.resume();
    else client.socket.destroy();
  }

  override received(client: Visitor, chunk: Buffer): void {
    for (const each of this.clients) if (each !== client) each.socket.destroy();
    super.received(client, chunk);
  }

  #isFirst(client: Visitor): boolean {
    const [first] = this.clients;
    return first === client;
  }
})().listen();
