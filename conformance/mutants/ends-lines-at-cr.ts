/** Takes a CR for the end of a line, with or without LF. */
import { EchoServer } from './server.ts';

new (class extends EchoServer {
  override complete(bytes: Buffer): number {
    return bytes.at(-1) === 0x0d ? bytes.length : super.complete(bytes);
  }
})().listen();
