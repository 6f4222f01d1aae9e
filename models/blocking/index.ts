/**
 * blocking: one client at a time. The process waits in accept(2) for a client, then in recv(2) for its
 * bytes, then in send(2) for room; the next client waits in the backlog until this one has left.
 *
 * The calls really block the whole process, Node's event loop included. What makes an orderly end
 * possible all the same is SO_RCVTIMEO and SO_SNDTIMEO: on a socket that has them, a signal interrupts
 * a waiting call, and so does a clock, in case the signal came just before the call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress, LISTEN_BACKLOG, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { DRAIN_MS } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import * as sys from '../../sockets/index.ts';
import { Client, Ended, PATIENCE, receiveBuffer } from './client.ts';
import { Signals } from './signals.ts';

const model: Model = {
  name: 'blocking',
  summary: 'one client at a time, in blocking accept(2), recv(2) and send(2)',
  oneAddress: true,
};

await main(model, async (options) => {
  const log = new Log(options);
  const speed = options.work > 0 ? measureSpeed() : 0;
  const endOfLine = options.endOfLine === 'crlf' ? '\r\n' : '\n';
  const memory = receiveBuffer(options);
  const signals = new Signals((signal) => log.notice(`${signal}: stopping`));
  const [listener, ...others] = await listenOnAll(
    options,
    ['127.0.0.1'],
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  if (!listener) throw new Error('no listener');
  for (const { fd } of others) sys.close(fd); // a blocking accept waits on one socket

  /** Whether accept has failed since it succeeded last: said once. */
  let isShort = false;

  async function run(listening: number): Promise<void> {
    sys.setsockopt(listening, sys.SO_RCVTIMEO, PATIENCE);
    while (signals.stoppedAt === undefined) {
      const fd = await acceptFrom(listening); // waits
      if (fd >= 0) await serve(fd);
      await signals.letIn();
    }
    process.exit(0);
  }

  /** @returns below 0 when the wait was broken off, or there is no free descriptor, say */
  async function acceptFrom(listening: number): Promise<number> {
    try {
      const fd = sys.accept(listening);
      if (fd >= 0) isShort = false;
      return fd;
    } catch (error) {
      if (!isShort) log.notice(`no new client for now: ${(error as Error).message}`);
      isShort = true;
      await sleep(1000);
      return -1;
    }
  }

  /** Serves one client to its end. */
  async function serve(fd: number): Promise<void> {
    const entry = log.connected(() => sys.peerOf(fd));
    const client = new Client(fd, options, signals);
    let reason: string;
    try {
      reason = await echo(client);
    } catch (error) {
      if (error instanceof Ended) reason = error.message;
      else if (error instanceof sys.SocketError) reason = error.code;
      else throw error;
    }
    sys.close(fd);
    const { received, sent, framer } = client;
    entry.closed({ reason, received, sent, framer });
  }

  /** Receives and answers until the connection is to be closed. @returns why */
  async function echo(client: Client): Promise<string> {
    client.setUp();
    for (;;) {
      const wasStopped = signals.stoppedAt !== undefined;
      const received = client.receive(memory); // waits
      if (received === 0) return 'end of input';
      if (received < 0 || signals.areDue) await client.lookAround();
      if (received < 0) {
        if (wasStopped) return client.finish(memory, 'the server stops');
        continue;
      }
      let { start, end } = client.framer.frame(memory, options.maxLine, options.maxLine + received);
      if (options.work === 0 && start < end) start += client.send(memory, start, end); // waits
      if (start < end) await answerRest(client, start, end);
      if (client.framer.overlong) {
        return client.finish(memory, client.framer.overlongReason);
      }
      if (signals.elapsed > DRAIN_MS) return client.finish(memory, 'the server stops');
    }
  }

  /** What one send has not taken; with --work, each line is paid for and answered by itself. */
  async function answerRest(client: Client, start: number, end: number): Promise<void> {
    for (let at = start; at < end; ) {
      let stop = end;
      if (options.work > 0) {
        stop = memory.indexOf(endOfLine, at) + endOfLine.length;
        burn(memory.subarray(at, stop), options.work, speed);
        client.activeAt = performance.now();
      }
      while (at < stop) {
        at += client.send(memory, at, stop); // waits
        if (at < stop || signals.areDue) await client.lookAround();
      }
    }
  }

  log.listening([listener.at]);
  for (const { at } of others) log.notice(`not listening on ${formatAddress(at)}: one socket only`);
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run, listener.fd);
});
