/** Does not see a CR LF that a boundary of 16 KiB of its line's buffer cuts. */
import { EchoServer } from './server.ts';

new (class extends EchoServer {
  override complete(bytes: Buffer): number {
    const end = super.complete(bytes);
    const isCut = end === bytes.length && end > 16_384 && (end - 1) % 16_384 === 0;
    return isCut ? super.complete(bytes.subarray(0, -1)) : end;
  }
})().listen();
