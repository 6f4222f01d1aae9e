/** Never notices the end of input, and reads again and again. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override ended({ socket }: Visitor): void {
    const readAgain = () => {
      if (!socket.destroyed) setImmediate(readAgain);
    };
    readAgain();
  }
})().listen();
