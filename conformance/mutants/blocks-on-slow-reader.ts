/** While one client's output is pending, it serves nobody. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override wait({ socket }: Visitor): void {
    const everybody = [...this.clients];
    for (const each of everybody) each.socket.pause();
    socket.write('', () => {
      for (const each of everybody) each.socket.resume();
    });
  }
})().listen();
