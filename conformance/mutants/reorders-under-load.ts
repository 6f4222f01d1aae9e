/** Answers the last of many lines first. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    const last = lines.lastIndexOf('\r\n', lines.length - 3) + 2;
    const isMuch = lines.length > 8192;
    if (isMuch) super.answer(client, lines.subarray(last));
    super.answer(client, isMuch ? lines.subarray(0, last) : lines);
  }
})().listen();
