/** Looks for CR LF from one byte before what is new on, but not when a read of one byte is all that it had. */
import { EchoServer, type Visitor } from './server.ts';

const CR = Buffer.from('\r');

new (class extends EchoServer {
  readonly #hadOneByte = new WeakSet<Visitor>();

  override received(client: Visitor, chunk: Buffer): void {
    const isMissed = this.#hadOneByte.delete(client) && chunk[0] === 0x0a;
    if (client.kept.length === 0 && chunk.equals(CR)) this.#hadOneByte.add(client);
    super.received(client, isMissed ? Buffer.concat([Buffer.from(' '), chunk]) : chunk);
  }
})().listen();
