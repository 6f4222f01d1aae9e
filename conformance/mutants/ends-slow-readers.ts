/** Ends a connection whose output is pending for eight seconds. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override wait({ socket }: Visitor): void {
    socket.pause();
    const timer = setTimeout(() => socket.destroy(), 8000).unref();
    socket.write('', () => {
      clearTimeout(timer);
      socket.resume();
    });
  }
})().listen();
