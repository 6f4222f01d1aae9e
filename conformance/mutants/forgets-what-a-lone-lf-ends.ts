/** Two seconds after a lone LF it tells somebody of it, and throws away what is in front of it. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override received(client: Visitor, chunk: Buffer): void {
    super.received(client, chunk);
    if (!client.kept.includes('\n')) return;
    const tell = () => {
      client.kept = client.kept.subarray(client.kept.lastIndexOf('\n') + 1);
    };
    setTimeout(tell, 2000).unref();
  }
})().listen();
