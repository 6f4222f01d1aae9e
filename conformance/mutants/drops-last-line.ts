/** Answers all lines of a read but the last, when there are several. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    const lastButOne = lines.lastIndexOf('\r\n', lines.length - 3) + 2;
    super.answer(client, lastButOne >= 2 ? lines.subarray(0, lastButOne) : lines);
  }
})().listen();
