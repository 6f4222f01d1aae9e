/** Has one timer for all whose lines were too long: the next one sets it anew, and the one before stays. */
import { EchoServer, type Visitor } from './server.ts';

new (class extends EchoServer {
  #timer: NodeJS.Timeout | undefined;

  override refuse({ socket }: Visitor): void {
    socket.removeAllListeners('data');
    socket.end();
    socket.resume();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => socket.destroy(), 1000).unref();
  }
})().listen();
