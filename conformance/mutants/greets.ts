/** Says hello first. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected({ socket }: Visitor): void {
    socket.write('Welcome!\r\n');
  }
})().listen();
