/** Takes an empty line for none. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    const text = lines.toString('latin1');
    const left = text.replaceAll(/(?<=^|\r\n)\r\n/g, '');
    super.answer(client, Buffer.from(left, 'latin1'));
  }
})().listen();
