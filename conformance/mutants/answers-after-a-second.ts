/** Thinks about it first. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    setTimeout(() => super.answer(client, lines), 1000);
  }

  override ended(client: Visitor): void {
    setTimeout(() => super.ended(client), 1000); // after the last answer
  }
})().listen();
