/** Takes it for granted that each client has sent something. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected({ socket }: Visitor): void {
    socket.once('close', () => {
      if (socket.bytesRead === 0) throw new Error('a client without a line');
    });
  }
})().listen();
