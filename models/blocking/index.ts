/**
 * blocking: one client at a time, in blocking system calls. An iterative server: the process waits in
 * accept(2) for a client, then in recv(2) for its bytes, then in send(2) for room; the next client waits
 * in the backlog until this one has left. core.ts is the same without options, log, limits and signals.
 *
 * The calls block the whole process, Node's event loop included. So that signals are handled nevertheless,
 * each call waits for 250 ms at most: signals.ts says why.
 */
import { formatAddress, LISTEN_BACKLOG, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { DRAIN_MS } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import * as sys from '../../sockets/index.ts';
import { Client, Ended, receiveBuffer } from './client.ts';
import { Signals, WAKE_UP_MS } from './signals.ts';

const model: Model = {
  name: 'blocking',
  summary: 'one client at a time, in blocking accept(2), recv(2) and send(2)',
  oneAddress: true,
};

await main(model, async (options) => {
  const log = new Log(options);
  const speed = options.work > 0 ? measureSpeed() : 0;
  const linesCost = options.work > 0 || options.wait > 0;
  const endOfLine = options.endOfLine === 'crlf' ? '\r\n' : '\n';
  const buffer = receiveBuffer(options);
  const [listener, ...others] = await listenOnAll(
    options,
    ['127.0.0.1'],
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  if (!listener) throw new Error('no listener');
  for (const { fd } of others) sys.close(fd); // a blocking accept waits on one socket

  sys.setsockopt(listener.fd, sys.SO_RCVTIMEO, WAKE_UP_MS);

  const signals = new Signals((signal) => {
    log.notice(`${signal}: stopping`);
    // New clients are refused from now on. Clients that wait in the backlog are reset: nobody accepted them.
    sys.close(listener.fd);
  });

  /** Whether the last accept found no free descriptor. The log says so once. */
  let isOutOfDescriptors = false;

  async function run(listening: number): Promise<void> {
    while (signals.stoppedAt === undefined) {
      const fd = await acceptFrom(listening); // waits
      if (fd >= 0) await serve(fd);
      await signals.handle();
    }
    await log.flush();
    process.exit(0);
  }

  /** @returns below 0 when the wait ended without a client, or accept failed */
  async function acceptFrom(listening: number): Promise<number> {
    try {
      const fd = sys.accept(listening);
      if (fd >= 0) isOutOfDescriptors = false;
      return fd;
    } catch (error) {
      if (!isOutOfDescriptors) log.notice(`no new client for now: ${(error as Error).message}`);
      isOutOfDescriptors = true;
      await signals.pause(1000);
      return -1;
    }
  }

  /** Serves one client to its end. */
  async function serve(fd: number): Promise<void> {
    const entry = log.connected(() => sys.peerOf(fd));
    const client = new Client(fd, options, signals, entry);
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
      const received = client.receive(buffer); // waits
      if (received === 0) return 'end of input';
      if (received < 0 || signals.areDue) await client.betweenWaits();
      if (received < 0) {
        if (wasStopped) return client.finish(buffer, 'the server stops');
        continue;
      }
      let { start, end } = client.framer.frame(buffer, options.maxLine, options.maxLine + received);
      if (!linesCost && start < end) start += client.send(buffer, start, end); // waits
      if (start < end) await answerRest(client, start, end);
      if (client.framer.overlong) {
        return client.finish(buffer, client.framer.overlongReason);
      }
      if (signals.elapsed > DRAIN_MS) return client.finish(buffer, 'the server stops');
    }
  }

  /**
   * Answers what the first send did not take. With --wait and --work, answers the lines one by one, after each
   * has waited and worked.
   */
  async function answerRest(client: Client, start: number, end: number): Promise<void> {
    for (let at = start; at < end; ) {
      let stop = end;
      if (linesCost) {
        stop = buffer.indexOf(endOfLine, at) + endOfLine.length;
        await client.sleep(options.wait); // waits
        if (options.work > 0) burn(buffer.subarray(at, stop), options.work, speed);
        client.isActive();
      }
      while (at < stop) {
        at += client.send(buffer, at, stop); // waits
        if (at < stop || signals.areDue) await client.betweenWaits();
      }
    }
  }

  log.listening([listener.at]);
  for (const { at } of others) log.notice(`not listening on ${formatAddress(at)}: one socket only`);
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run, listener.fd);
});
