/**
 * The whole program for one client, in blocking calls: it waits in recv(2) for bytes, and in send(2) for room,
 * and while it waits it does nothing else.
 */
import type { Tail } from '../echo/framing.ts';
import type { ConnectionLog } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import { DRAIN_MS } from '../echo/shutdown.ts';
import { burn, measureSpeed } from '../echo/work.ts';
import { SocketError } from '../sockets/index.ts';
import { Client, type ClientOptions, Ended, receiveBuffer } from './client.ts';
import { elapsedSinceStop, type Interruptions } from './interruptions.ts';

/** What a thread or process is told when it starts. All of it can be sent. */
export interface Settings {
  readonly options: ClientOptions;
  /** Of `--work`: what `measureSpeed` returned. */
  readonly speed: number;
}

export function settingsOf(all: Options): Settings {
  const { maxLine, idleTimeout, endOfLine, work, wait } = all;
  const options = { maxLine, idleTimeout, endOfLine, work, wait };
  return { options, speed: work > 0 ? measureSpeed() : 0 };
}

/** How a connection ended, for the log. */
export interface End {
  readonly reason: string;
  /** Bytes; undefined when nobody knows. */
  readonly received: number | undefined;
  /** Bytes; undefined when nobody knows. */
  readonly sent: number | undefined;
  /** The unfinished line that is dropped. */
  readonly framer: Tail;
}

/**
 * @returns a function that serves the client on one descriptor to its end, and leaves the descriptor open
 */
export function blockingEcho(
  { options, speed }: Settings,
  interruptions: Interruptions,
): (fd: number, log: Pick<ConnectionLog, 'unfinished'>) => Promise<End> {
  const buffer = receiveBuffer(options);
  const linesCost = options.work > 0 || options.wait > 0;
  const endOfLine = options.endOfLine === 'crlf' ? '\r\n' : '\n';

  return async (fd, log) => {
    const client = new Client(fd, options, interruptions, log);
    let reason: string;
    try {
      reason = await echo(client);
    } catch (error) {
      if (error instanceof Ended) reason = error.message;
      else if (error instanceof SocketError) reason = error.code;
      else throw error;
    }
    const { received, sent, framer } = client;
    return { reason, received, sent, framer };
  };

  /** Receives and answers until the connection is to be closed. @returns why */
  async function echo(client: Client): Promise<string> {
    for (;;) {
      const wasStopped = interruptions.stoppedAt !== undefined;
      const received = client.receive(buffer); // waits
      if (received === 0) return 'end of input';
      if (received < 0 || interruptions.areDue) await client.betweenWaits();
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
      if (elapsedSinceStop(interruptions) > DRAIN_MS) {
        return client.finish(buffer, 'the server stops');
      }
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
        client.expectPresent();
        if (options.work > 0) burn(buffer.subarray(at, stop), options.work, speed);
        client.isActive();
      }
      while (at < stop) {
        at += client.send(buffer, at, stop); // waits
        if (at < stop || interruptions.areDue) await client.betweenWaits();
      }
    }
  }
}
