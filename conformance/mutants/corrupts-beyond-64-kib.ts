/** Changes a byte of what is sent beyond 64 KiB. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    const { bytesWritten } = client.socket;
    const at = 65536 - bytesWritten;
    if (at >= 0 && at < lines.length) lines[at] = (lines[at] as number) ^ 1;
    super.answer(client, lines);
  }
})().listen();
