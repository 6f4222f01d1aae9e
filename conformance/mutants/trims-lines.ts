/** Strips blanks from both ends of a line. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    const trimmed = lines
      .toString('latin1')
      .split('\r\n')
      .map((line) => line.replace(/^[ \t]+|[ \t]+$/g, ''));
    super.answer(client, Buffer.from(trimmed.join('\r\n'), 'latin1'));
  }
})().listen();
