/** When the output of two clients is pending, one answer in twenty goes to the wrong one. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #count = 0;

  override answer(client: Visitor, lines: Buffer): void {
    const others = [...this.clients].filter(
      (one) => one !== client && one.socket.writableLength > 0,
    );
    if (others.length > 0) this.#count++;
    const isWrong = this.#count > 0 && this.#count % 20 === 0;
    super.answer(isWrong ? (others[0] ?? client) : client, lines);
  }
})().listen();
