/** One client, and its program, which reads as if it blocked: receive, answer, receive again. */
import { linesOf } from '../../echo/framing.ts';
import { burn } from '../../echo/work.ts';
import type { Shared } from '../../raw-net/shared.ts';
import { TimedConnection } from '../../raw-net/timed-connection.ts';
import * as sys from '../../sockets/index.ts';
import type { Routine, Scheduler } from './scheduler.ts';

/** Ends a program from outside. The message is the reason. */
class CutOff extends Error {}

export class Client extends TimedConnection {
  override hasLine = false;
  override isSending = false;
  readonly #scheduler: Scheduler;

  constructor(fd: number, shared: Shared, scheduler: Scheduler) {
    super(fd, shared);
    this.#scheduler = scheduler;
  }

  /** The program. At its end the connection is closed. */
  *serve(): Routine {
    try {
      for (;;) {
        yield sys.POLLIN; // waits for bytes
        const received = sys.recv(this.fd, this.shared.receiveBuffer, this.shared.options.maxLine);
        if (received === 0) break;
        if (received > 0 && !this.isLingering) yield* this.#answer(received);
      }
      this.closeNow('end of input');
    } catch (error) {
      if (!(error instanceof CutOff || error instanceof sys.SocketError)) throw error;
      this.closeNow(error instanceof CutOff ? error.message : error.code);
    }
  }

  *#answer(received: number): Routine {
    const { start, end } = this.frame(received);
    if (this.shared.linesCost) yield* this.#answerLines(start, end);
    else if (end > start) yield* this.#send(this.shared.receiveBuffer, start, end);
    if (this.framer.overlong) this.ending ??= this.framer.overlongReason;
    this.endIfDone();
  }

  /** With `--wait` and `--work`: answers one line after another. */
  *#answerLines(start: number, end: number): Routine {
    const { options, speed } = this.shared;
    const copy = Buffer.from(this.shared.receiveBuffer.subarray(start, end));
    for (const line of linesOf(copy, options.endOfLine)) {
      this.hasLine = true;
      yield { sleep: options.wait }; // also with 0: then the other clients have their turn
      if (options.work > 0) burn(line, options.work, speed);
      this.hasLine = false;
      yield* this.#send(line, 0, line.length);
    }
  }

  /** Sends, and waits for room if it has to: this is the backpressure. */
  *#send(bytes: Buffer, start: number, end: number): Routine {
    const sent = this.transmit(bytes, start, end);
    if (start + sent === end) return;
    const rest = Buffer.from(bytes.subarray(start + sent, end)); // others use the receive buffer meanwhile
    this.isSending = true;
    for (let at = 0; at < rest.length; at += this.transmit(rest, at, rest.length))
      yield sys.POLLOUT;
    this.isSending = false;
  }

  /** Closes at once: throws an error into the program, at the `yield` in which it waits. */
  override close(reason: string): void {
    this.#scheduler.resume(this.fd, new CutOff(reason));
  }
}
