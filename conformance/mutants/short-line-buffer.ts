/** Has room for a line one byte shorter than the longest. */
import { EchoServer } from './server.ts';

new (class extends EchoServer {
  override maxLine = 65535;
})().listen();
