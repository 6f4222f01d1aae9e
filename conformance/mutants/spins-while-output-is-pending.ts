/** Asks again and again whether a client takes what is pending. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override wait(client: Visitor): void {
    super.wait(client);
    const ask = () => {
      if (!client.socket.destroyed && client.socket.writableLength > 0) setImmediate(ask);
    };
    ask();
  }
})().listen();
