/** Needs a millisecond for a line, and does all the lines that it has read before it looks at another client. */
import { EchoServer, type Visitor } from './server.ts';

const never = new Int32Array(new SharedArrayBuffer(4));

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    const many = lines.toString('latin1').split('\r\n').length - 1;
    Atomics.wait(never, 0, 0, many);
    super.answer(client, lines);
  }
})().listen();
