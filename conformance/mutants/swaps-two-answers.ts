/** When it has many clients, one answer in a thousand goes to another of them. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #count = 0;

  override answer(client: Visitor, lines: Buffer): void {
    this.#count = this.clients.size > 50 ? this.#count + 1 : 0;
    const [first, second] = this.clients;
    const other = first === client ? second : first;
    super.answer(this.#count % 1000 === 999 && other ? other : client, lines);
  }
})().listen();
