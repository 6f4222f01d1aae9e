/** Thinks about it first. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    setTimeout(() => super.answer(client, lines), 1000);
  }
})().listen();
