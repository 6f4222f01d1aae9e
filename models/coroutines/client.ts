/** One client, and its program, which reads as if it blocked: receive, answer, receive again. */
import { linesOf } from '../../echo/framing.ts';
import { burn } from '../../echo/work.ts';
import { Shared } from '../../raw-net/shared.ts';
import { TimedConnection } from '../../raw-net/timed-connection.ts';
import * as sys from '../../sockets/index.ts';
import { type Routine, Scheduler } from './scheduler.ts';

/** Ends a program from outside. The message is the reason. */
class CutOff extends Error {}

export class Tasks extends Shared<Client> {
  readonly scheduler = new Scheduler();
}

export class Client extends TimedConnection {
  declare protected readonly shared: Tasks;
  override hasLine = false;
  override isSending = false;

  /** The program. At its end the connection is closed. */
  *serve(): Routine {
    try {
      for (;;) {
        yield sys.POLLIN; // waits for bytes
        const received = sys.recv(this.fd, this.shared.receiveBuffer, this.shared.options.maxLine);
        if (received === 0) break;
        if (received < 0 || this.isLingering) continue;
        const rest = this.#answer(received);
        if (rest) yield* rest; // waits for room, or until a line is due
        this.endIfDone();
      }
      this.closeNow('end of input');
    } catch (error) {
      if (!(error instanceof CutOff || error instanceof sys.SocketError)) throw error;
      this.closeNow(error instanceof CutOff ? error.message : error.code);
    }
  }

  /** Answers the complete lines. @returns what is left to do, if that has to wait: most answers need no generator */
  #answer(received: number): Routine | undefined {
    const { start, end } = this.frame(received);
    if (this.shared.linesCost) return this.#answerLines(start, end);
    return start < end ? this.#send(this.shared.receiveBuffer, start, end) : undefined;
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
      yield* this.#send(line, 0, line.length) ?? [];
    }
  }

  /** Sends what the kernel takes now. @returns a routine that sends the rest; undefined when there is none */
  #send(bytes: Buffer, start: number, end: number): Routine | undefined {
    const sent = start + this.transmit(bytes, start, end);
    return sent < end ? this.#sendRest(Buffer.from(bytes.subarray(sent, end))) : undefined;
  }

  /** Waits for room, and sends: this is the backpressure. @param rest - a copy, as others use the receive buffer */
  *#sendRest(rest: Buffer): Routine {
    this.isSending = true;
    for (let at = 0; at < rest.length; at += this.transmit(rest, at, rest.length))
      yield sys.POLLOUT;
    this.isSending = false;
  }

  /** Closes at once: throws an error into the program, at the `yield` in which it waits. */
  override close(reason: string): void {
    this.shared.scheduler.resume(this.fd, new CutOff(reason));
  }
}
