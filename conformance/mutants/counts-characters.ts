/** Loses a byte of text that is not ASCII when output was pending: what was left was counted in characters. */
import { isAscii, isUtf8 } from 'node:buffer';
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  readonly #isText = new WeakMap<Visitor, boolean>();
  readonly #isOff = new WeakSet<Visitor>();

  override answer(client: Visitor, lines: Buffer): void {
    super.answer(client, this.#isOff.delete(client) ? lines.subarray(1) : lines);
    this.#isText.set(client, isUtf8(lines) && !isAscii(lines));
  }

  override wait(client: Visitor): void {
    if (this.#isText.get(client)) this.#isOff.add(client);
    super.wait(client);
  }
})().listen();
