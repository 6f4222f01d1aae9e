/** Closes the connection of a client that says quit. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override answer(client: Visitor, lines: Buffer): void {
    if (/^(quit|exit)\r\n$/i.test(lines.toString('latin1'))) client.socket.end();
    else super.answer(client, lines);
  }
})().listen();
