/** While the output of a client that came over IPv6 is pending, it serves nobody: those sockets block. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override wait(client: Visitor): void {
    super.wait(client);
    if (client.socket.remoteFamily !== 'IPv6') return;
    const others = [...this.clients].filter((one) => one !== client);
    for (const { socket } of others) socket.pause();
    client.socket.write('', () => {
      for (const { socket } of others) socket.resume();
    });
  }
})().listen();
