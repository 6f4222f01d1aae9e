/** Gives lines back in its own fashion. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    const text = lines.toString('latin1').replaceAll('\r\n', '\n');
    super.answer(client, Buffer.from(text, 'latin1'));
  }
})().listen();
