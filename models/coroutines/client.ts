/** One client: its socket, its unfinished line, and the routines of its program. */
import { linesOf } from '../../echo/framing.ts';
import type { ConnectionLog } from '../../echo/log.ts';
import { burn } from '../../echo/work.ts';
import type { Shared } from '../../raw-net/shared.ts';
import { TimedConnection } from '../../raw-net/timed-connection.ts';
import * as sys from '../../sockets/index.ts';
import { receive, send, sleep } from './routines.ts';
import type { Routine, Scheduler, Task } from './scheduler.ts';

/** The connection is to be closed at once; the message says why. */
class CutOff extends Error {}

export class Client extends TimedConnection {
  task: Task | undefined;
  override hasLine = false;
  override isSending = false;
  readonly #scheduler: Scheduler;
  readonly #clients: Set<Client>;

  /** @param clients - from which it removes itself at its end */
  constructor(
    fd: number,
    shared: Shared,
    scheduler: Scheduler,
    clients: Set<Client>,
    log: ConnectionLog,
  ) {
    super(fd, shared, log);
    this.#scheduler = scheduler;
    this.#clients = clients;
  }

  /** The program of a client: it ends when the connection is closed. */
  *serve(buffer: Buffer): Routine {
    const { maxLine } = this.shared.options;
    try {
      for (;;) {
        const received = yield* receive(this.fd, buffer, maxLine); // waits for bytes
        if (received === 0) break;
        if (!this.isLingering) yield* this.#answer(buffer, maxLine, received);
      }
      this.closeNow('end of input');
    } catch (error) {
      if (error instanceof CutOff) this.closeNow(error.message);
      else if (error instanceof sys.SocketError) this.closeNow(error.code);
      else throw error;
    }
  }

  /** Sends the complete lines, and waits for room if it has to: this is the backpressure. */
  *#answer(buffer: Buffer, from: number, received: number): Routine {
    this.wasReady = true;
    this.received += received;
    const { start, end } = this.framer.frame(buffer, from, from + received);
    if (this.framer.tailHasBareLf) this.hint();
    if (this.shared.linesCost && end > start) {
      // The buffer is for all clients: whatever waits needs a copy.
      yield* this.#answerLines(Buffer.from(buffer.subarray(start, end)));
    } else if (end > start) {
      const sent = Math.max(0, sys.send(this.fd, buffer, start, end - start));
      this.sent += sent;
      if (start + sent < end) yield* this.#send(Buffer.from(buffer.subarray(start + sent, end)));
    }
    if (this.framer.overlong) this.ending ??= this.framer.overlongReason;
    this.endIfDone();
  }

  /** With `--wait` and `--work`: pays for the lines and answers them, one after another. */
  *#answerLines(run: Buffer): Routine {
    const { options, speed } = this.shared;
    for (const line of linesOf(run, options.endOfLine)) {
      this.hasLine = true;
      yield* sleep(options.wait); // also without --wait: the others get a turn
      if (options.work > 0) burn(line, options.work, speed);
      yield* this.#send(line);
    }
    this.hasLine = false;
  }

  *#send(bytes: Buffer): Routine {
    this.isSending = true;
    yield* send(this.fd, bytes);
    this.isSending = false;
    this.sent += bytes.length;
  }

  protected override closeNow(reason: string): void {
    super.closeNow(reason);
    this.#scheduler.forget(this.fd);
    this.#clients.delete(this);
  }

  /** Closes at once: throws an error into the program, where it waits. */
  override close(reason: string): void {
    if (this.task) this.#scheduler.interrupt(this.task, new CutOff(reason));
  }
}
