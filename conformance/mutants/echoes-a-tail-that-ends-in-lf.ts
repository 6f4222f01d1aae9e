/** At the end of input, takes what is left for a line when it ends in LF. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override ended(client: Visitor): void {
    if (client.kept.at(-1) === 0x0a) this.answer(client, client.kept);
    super.ended(client);
  }
})().listen();
