/** Takes LF for the end of a line. */
import { EchoServer } from './server.ts';

new (class extends EchoServer {
  override terminator = '\n';
})().listen();
