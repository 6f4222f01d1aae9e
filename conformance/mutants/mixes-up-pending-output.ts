/** When the output of two clients is pending, the end of an answer now and then goes to the wrong one. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #count = 0;

  override answer(client: Visitor, lines: Buffer): void {
    super.answer(client, lines);
    if (client.socket.writableLength === 0) return;
    const isPending = (one: Visitor) => one !== client && one.socket.writableLength > 0;
    const other = [...this.clients].find(isPending);
    if (other && ++this.#count % 20 === 0) super.answer(other, lines.subarray(-3));
  }
})().listen();
