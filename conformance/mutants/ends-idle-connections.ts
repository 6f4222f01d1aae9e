/** Ends a connection on which nothing has come for eight seconds, if no line is unfinished. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  override connected(client: Visitor): void {
    let timer: NodeJS.Timeout;
    const { socket } = client;
    const isIdle = () => client.kept.length === 0 && socket.writableLength === 0;
    const begin = () => {
      clearTimeout(timer);
      timer = setTimeout(() => isIdle() && socket.destroy(), 8000).unref();
    };
    socket.on('data', begin);
    begin();
  }
})().listen();
