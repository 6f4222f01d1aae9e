/**
 * blocking: one client at a time. The process waits in accept(2) for a client, then in recv(2) for its
 * bytes, then in send(2) for room; the next client waits in the backlog until this one has left.
 *
 * The calls really block the whole process, Node's event loop included. What makes an orderly end
 * possible all the same is SO_RCVTIMEO and SO_SNDTIMEO: on a socket that has them, a signal interrupts
 * a waiting call, and so does a clock, in case the signal came just before the call.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { LISTEN_BACKLOG, listenOnAll } from '../../echo/addresses.ts';
import { LineFramer, linesOf } from '../../echo/framing.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import { DRAIN, GRACE, onShutdown } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import * as sys from '../../sockets/index.ts';

/** Milliseconds that a call waits at most before the process looks whether a signal came. */
const PATIENCE = 250;
/** Milliseconds of unbroken work after which it looks, too. */
const ATTENTION = 20;
/** What one recv(2) takes at most, in bytes. */
const RECEIVE_SIZE = 512 * 1024;

await main('blocking', async (options) => {
  const log = new Log(options);
  const speed = options.work > 0 ? measureSpeed() : 0;
  const [listener] = await listenOnAll(
    { port: options.port, hosts: options.hosts },
    ['127.0.0.1'], // a blocking accept waits on one socket
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  if (!listener) throw new Error('no listener');
  /** One buffer serves for ever, with room in front for the longest unfinished line. */
  const memory = Buffer.allocUnsafeSlow(options.maxLine + RECEIVE_SIZE);
  let stoppedAt: number | undefined;
  let lookedAt = performance.now();

  onShutdown((signal) => {
    log.notice(`${signal}: stopping`);
    stoppedAt = performance.now();
  });

  async function run({ fd: listening }: sys.Listener): Promise<void> {
    sys.setsockopt(listening, sys.SO_RCVTIMEO, PATIENCE);
    while (stoppedAt === undefined) {
      const client = sys.accept(listening);
      if (client >= 0) await serve(client);
      await letSignalsIn();
    }
    process.exit(0);
  }

  /** Serves one client to its end. */
  async function serve(client: number): Promise<void> {
    const connection = log.connected(() => sys.peerOf(client));
    const framer = new LineFramer(options.endOfLine, options.maxLine);
    const count = { received: 0, sent: 0 };
    let reason: string;
    try {
      sys.setsockopt(client, sys.TCP_NODELAY, 1);
      waitAtMost(client, Math.min(options.idleTimeout || PATIENCE, PATIENCE));
      reason = await echo(client, framer, count);
    } catch (error) {
      reason = (error as sys.SocketError).code;
    }
    sys.close(client);
    connection.closed({ reason, ...count, framer });
  }

  /** Receives and answers until the connection is to be closed. @returns why */
  async function echo(client: number, framer: LineFramer, count: Count): Promise<string> {
    let heardAt = performance.now();
    for (;;) {
      const received = sys.recv(client, memory, options.maxLine, RECEIVE_SIZE);
      if (received === 0) return 'end of input';
      const now = performance.now();
      if (received < 0 || now - lookedAt > ATTENTION) await letSignalsIn();
      if (stoppedAt !== undefined) {
        if (received < 0 && now > stoppedAt) return finish(client, 'the server stops');
        waitAtMost(client, 1); // only what has come already is still answered
      }
      if (received < 0) {
        if (options.idleTimeout > 0 && now - heardAt >= options.idleTimeout) return 'idle';
        continue;
      }
      heardAt = now;
      count.received += received;
      let start = framer.frame(memory, options.maxLine, options.maxLine + received);
      const end = framer.runEnd;
      if (options.work === 0 && start < end) {
        // One blocking send takes everything, but for a signal or the end of the patience.
        const sent = Math.max(0, sys.send(client, memory, start, end - start));
        count.sent += sent;
        start += sent;
      }
      const failure =
        options.work > 0
          ? await workOff(client, memory.subarray(start, end), count)
          : start < end && (await sendAll(client, memory, start, end, count));
      if (failure) return failure;
      if (framer.overlong) return finish(client, `a line is longer than ${options.maxLine} bytes`);
      if (now > (stoppedAt ?? now) + DRAIN) return finish(client, 'the server stops');
    }
  }

  /** With --work: pays for each line, then answers it. @returns as `sendAll` */
  async function workOff(client: number, run: Buffer, count: Count): Promise<string | undefined> {
    for (const line of linesOf(run, options.endOfLine)) {
      burn(options.work, speed);
      const failure = await sendAll(client, line, 0, line.length, count);
      if (failure) return failure;
    }
    return undefined;
  }

  /**
   * Waits in send(2) until the kernel has taken everything from `start` to `end`.
   *
   * @returns why not, if it has not
   */
  async function sendAll(
    client: number,
    bytes: Buffer,
    start: number,
    end: number,
    count: Count,
  ): Promise<string | undefined> {
    let movedAt = performance.now();
    for (let at = start; at < end; ) {
      const sent = sys.send(client, bytes, at, end - at);
      const now = performance.now();
      if (sent >= 0) {
        at += sent;
        count.sent += sent;
        movedAt = now;
      } else if (options.idleTimeout > 0 && now - movedAt >= options.idleTimeout) {
        return 'idle';
      }
      // Also while something moves: a client may take its answer byte by byte, or --work be long.
      if (now > (stoppedAt ?? now) + GRACE) return 'the server stops';
      if (sent < 0 || now - lookedAt > ATTENTION) await letSignalsIn();
    }
    return undefined;
  }

  /**
   * Sends our FIN and waits for the client's: to close with unread input would reset the connection,
   * and cost the client what is on its way to it.
   */
  async function finish(client: number, reason: string): Promise<string> {
    sys.shutdown(client, sys.SHUT_WR);
    waitAtMost(client, 100);
    const deadline = (stoppedAt ?? performance.now()) + GRACE;
    while (sys.recv(client, memory) !== 0 && performance.now() < deadline) await letSignalsIn();
    return reason;
  }

  /** Node handles signals in its event loop: let it turn. Its first turn may come too early. */
  async function letSignalsIn(): Promise<void> {
    await turn();
    await turn();
    lookedAt = performance.now();
  }

  log.listening([listener.at]);
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run, listener);
});

interface Count {
  received: number;
  sent: number;
}

function waitAtMost(fd: number, milliseconds: number): void {
  sys.setsockopt(fd, sys.SO_RCVTIMEO, milliseconds);
  sys.setsockopt(fd, sys.SO_SNDTIMEO, milliseconds);
}
