/** Takes a byte order mark at the beginning of a line for no part of it. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    const hasMark = lines.length < 100 && lines.indexOf('\xef\xbb\xbf', 0, 'latin1') === 0;
    super.answer(client, hasMark ? lines.subarray(3) : lines);
  }
})().listen();
