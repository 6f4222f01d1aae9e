/** Ends a connection whose line is unfinished for eight seconds. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override received(client: Visitor, chunk: Buffer): void {
    super.received(client, chunk);
    const { kept, socket } = client;
    if (kept.length > 0) setTimeout(() => client.kept === kept && socket.destroy(), 8000).unref();
  }
})().listen();
