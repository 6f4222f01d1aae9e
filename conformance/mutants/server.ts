/**
 * A right server in parts that can be replaced. A mutant replaces one, and is wrong in just that way.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

/** One client, and what it has sent of a line that is not complete yet. */
export interface Visitor {
  readonly socket: Socket;
  kept: Buffer;
  /** Whether there is output that the kernel has not taken, also when the connection ended so. */
  isOwed: boolean;
}

export class EchoServer {
  readonly clients = new Set<Visitor>();
  terminator = '\r\n';
  /** Bytes, the terminator included. */
  maxLine = 65536;

  /** A client has come. */
  connected(_client: Visitor): void {}

  /** What one read returned. */
  received(client: Visitor, chunk: Buffer): void {
    const all = client.kept.length > 0 ? Buffer.concat([client.kept, chunk]) : chunk;
    const end = this.complete(all);
    client.kept = all.subarray(end);
    if (end > 0) this.answer(client, all.subarray(0, end));
    if (client.kept.length >= this.maxLine) this.refuse(client);
    else if (client.socket.writableLength > 0) this.wait(client);
  }

  /** Where the last complete line ends, and 0 when none is complete. */
  complete(bytes: Buffer): number {
    let end = 0;
    for (;;) {
      const at = bytes.subarray(end, end + this.maxLine).indexOf(this.terminator);
      if (at < 0) return end;
      end += at + this.terminator.length;
    }
  }

  answer({ socket }: Visitor, lines: Buffer): void {
    socket.write(lines);
  }

  /** The kernel did not take everything: read on when it has. */
  wait(client: Visitor): void {
    const { socket } = client;
    client.isOwed = true;
    socket.pause();
    socket.write('', (error) => {
      if (error) return;
      client.isOwed = false;
      socket.resume();
    });
  }

  /** The line is too long. */
  refuse({ socket }: Visitor): void {
    socket.removeAllListeners('data');
    socket.end();
    socket.resume(); // thrown away until the client closes, too
    setTimeout(() => socket.destroy(), 1000).unref();
  }

  /** The client has sent its FIN. */
  ended({ socket }: Visitor): void {
    socket.end();
  }

  failed({ socket }: Visitor, _error: NodeJS.ErrnoException): void {
    socket.destroy();
  }

  /** Starts it on both loopback addresses, at `--port`. */
  listen(hosts: readonly string[] = ['127.0.0.1', '::1']): void {
    const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
    const open = (port: number, [host, ...more]: readonly string[]) => {
      const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
        this.#take(socket),
      );
      const goOn = (bound: number) => {
        if (more.length > 0) open(bound, more);
        else console.log(`${process.env.MUTANT_NAME ?? 'mutant'} listening on 127.0.0.1:${bound}`);
      };
      server.once('error', (error) => {
        if (host !== '::1') throw error;
        goOn(port); // a machine without IPv6
      });
      server.listen({ port, host, backlog: 1024 }, () =>
        goOn((server.address() as { port: number }).port),
      );
    };
    open(Number(values.port), hosts);
  }

  #take(socket: Socket): void {
    const client: Visitor = { socket, kept: Buffer.alloc(0), isOwed: false };
    this.clients.add(client);
    socket.on('data', (chunk) => this.received(client, chunk as Buffer));
    socket.on('end', () => this.ended(client));
    socket.on('error', (error) => this.failed(client, error));
    socket.on('close', () => this.clients.delete(client));
    this.connected(client);
  }
}

/**
 * Burns a third of a core until the process ends, in a thread: what is served beside it is not held up. A
 * mutant that spins would burn all of one, at the expense of those that are judged at the same time.
 */
export function spin(): void {
  new Worker(SPINNING, { eval: true }).unref();
}

/** CPU time is what counts: on a busy machine, a thread has less of it than has passed. */
const SPINNING = `
  const rests = new Int32Array(new SharedArrayBuffer(4));
  const used = () => process.cpuUsage().user + process.cpuUsage().system;
  for (;;) {
    const before = used();
    while (used() - before < 6000);
    Atomics.wait(rests, 0, 0, 12);
  }`;
