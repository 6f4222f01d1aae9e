/** Its longest line has 65,536 characters, and not bytes. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override maxLine = 4 * 65536;

  override answer(client: Visitor, lines: Buffer): void {
    const all = lines.toString().split('\r\n');
    const tooLong = all.findIndex((line) => line.length + 2 > 65536);
    if (tooLong < 0) {
      super.answer(client, lines);
      return;
    }
    client.socket.write(
      all
        .slice(0, tooLong)
        .map((line) => `${line}\r\n`)
        .join(''),
    );
    this.refuse(client);
  }
})().listen();
