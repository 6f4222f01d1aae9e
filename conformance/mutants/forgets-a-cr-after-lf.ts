/** Does not see a CR LF that follows a lone LF. */
import { EchoServer } from './server.ts';

new (class extends EchoServer {
  override complete(bytes: Buffer): number {
    const end = super.complete(bytes);
    const isBehindLf = bytes.subarray(end - 3, end).equals(Buffer.from('\n\r\n'));
    if (!isBehindLf || bytes[end - 4] === 0x0d) return end;
    return super.complete(bytes.subarray(0, end - 1));
  }
})().listen();
