/**
 * One client of io-uring: which operations are in flight for it, and what follows when one is done. Until then
 * the descriptor and the memory of a send belong to the kernel, so neither is given back before.
 */
import { getSystemErrorName } from 'node:util';
import { linesOf } from '../../echo/framing.ts';
import { burn } from '../../echo/work.ts';
import { Shared } from '../../raw-net/shared.ts';
import { TimedConnection } from '../../raw-net/timed-connection.ts';
import * as sys from '../../sockets/index.ts';
import { IoUring } from '../../sockets/io-uring.ts';
import { addressOf, ECANCELED, ENOBUFS } from '../../sockets/libc.ts';
import { ProvidedBuffers } from '../../sockets/provided-buffers.ts';

/** The kinds of operations. A completion says of which kind it is. */
export const [ACCEPT, EVENT_LOOP, CANCEL, RECEIVE, SEND, WAIT] = [1, 2, 3, 4, 5, 6] as const;

/** What all clients share. */
export class Rings extends Shared<Client> {
  readonly ring = new IoUring();
  readonly buffers = new ProvidedBuffers(this.ring, 0, 64 * 1024, 16);
  /** Clients with a line that is answered next, in turn. */
  readonly queue: Client[] = [];
}

export class Client extends TimedConnection {
  declare protected readonly shared: Rings;
  #inFlight = 0;
  #sends = 0;
  #isClosing = false;
  /** What is being sent: bytes in a provided buffer, and perhaps an unfinished line that came before. */
  #bufferId: number | undefined;
  #pieces: readonly Buffer[] | undefined;
  /** With `--work` and `--wait`: the line that is answered next, and the lines after it. */
  #line: Buffer | undefined;
  #moreLines: Generator<Buffer> | undefined;

  override get hasLine(): boolean {
    return this.#line !== undefined;
  }

  override get isSending(): boolean {
    return this.#sends > 0;
  }

  /** Begins a reception. The kernel takes a buffer for it when there are bytes. */
  receive(): void {
    if (this.#isClosing) return;
    this.wasReady = true; // what has come is not known before the next turn
    this.shared.ring.recv(this.fd, this.shared.buffers.group, RECEIVE, this.fd);
    this.#inFlight++;
  }

  /** An operation is done: the ring's current completion tells how. */
  done(): void {
    const { ring } = this.shared;
    this.#inFlight--;
    if (ring.kind === WAIT && this.#line) this.shared.queue.push(this);
    else if (ring.kind === WAIT) this.receive();
    else if (ring.kind === SEND) this.#hasSent(ring.result);
    else if (ring.result > 0) this.#hasReceived(ring.result, ring.bufferId);
    else this.#hasNotReceived(ring.result);
    this.#closeIfDone();
  }

  /** Nothing came: the client's FIN did, or there can be no more buffers, or the send before it has failed. */
  #hasNotReceived(result: number): void {
    const { buffers } = this.shared;
    if (result === 0) this.close('end of input');
    else if (buffers.growAfter(result)) this.receive();
    else if (result === -ENOBUFS) this.#wait(100);
    else if (result === -ECANCELED) this.close('ECONNRESET');
    else this.close(getSystemErrorName(result));
  }

  #hasReceived(length: number, bufferId: number): void {
    this.wasReady = true;
    if (this.ending !== undefined) {
      this.shared.buffers.release(bufferId);
      this.receive();
      return;
    }
    this.received += length;
    if (this.shared.linesCost) this.#queueLines(bufferId, length);
    else this.#answer(bufferId, length);
    this.endIfDone();
  }

  /** Sends the complete lines from where they were received; the next reception begins when they are sent. */
  #answer(bufferId: number, length: number): void {
    const { ring, buffers } = this.shared;
    ring.makeRoom(3); // what is linked has to be handed over together
    const framer = this.takeFramer();
    if (framer.tailLength === 0) {
      const offset = buffers.offset(bufferId);
      const { start, end } = framer.frame(buffers.memory(bufferId), offset, offset + length);
      if (end > start) this.#send(buffers.address(bufferId), end - start, false);
    } else {
      this.#pieces = framer.push(buffers.bytes(bufferId, length));
      const last = this.#pieces.at(-1);
      for (const bytes of this.#pieces) this.#send(addressOf(bytes), bytes.length, bytes !== last);
    }
    this.keepFramer(framer);
    if (this.#sends > 0) this.#bufferId = bufferId;
    else this.shared.buffers.release(bufferId);
    this.receive();
  }

  #send(address: number, length: number, isMore: boolean): void {
    this.shared.ring.sendLinked(this.fd, address, length, SEND, this.fd, isMore);
    this.#inFlight++;
    this.#sends++;
  }

  #hasSent(result: number): void {
    this.#sends--;
    this.wasReady = true; // the reception that is linked to it begins only now
    if (result < 0) this.close(getSystemErrorName(result));
    else this.sent += result;
    if (this.#sends > 0) return;
    this.#pieces = undefined;
    if (this.#bufferId !== undefined) this.shared.buffers.release(this.#bufferId);
    this.#bufferId = undefined;
    if (this.#line) this.#nextLine();
    this.endIfDone();
  }

  /** With `--work` and `--wait`: keeps the lines, and gives the buffer back. */
  #queueLines(bufferId: number, length: number): void {
    const framer = this.takeFramer();
    const run = Buffer.concat(framer.push(this.shared.buffers.bytes(bufferId, length)));
    this.keepFramer(framer);
    this.shared.buffers.release(bufferId);
    this.#moreLines = linesOf(run, this.shared.options.endOfLine);
    this.#nextLine();
  }

  /** The next line waits first: that is an operation, too. After the last one it receives again. */
  #nextLine(): void {
    const { queue, options } = this.shared;
    this.#line = this.#moreLines?.next().value;
    if (!this.#line) this.receive();
    else if (options.wait > 0) this.#wait(options.wait);
    else queue.push(this);
  }

  /** For a line that is answered then, or for buffers that are free then. */
  #wait(milliseconds: number): void {
    if (this.#isClosing) return;
    this.shared.ring.timeout(milliseconds, WAIT, this.fd);
    this.#inFlight++;
  }

  /** With `--work` and `--wait`: works for one line, which has waited, and sends it. */
  answerLine(): void {
    const line = this.#line;
    if (!line || this.#isClosing) return;
    const { ring, options, speed } = this.shared;
    // No work for a client that has left. No reception is in flight that would tell.
    const error = options.work > 0 ? sys.getsockopt(this.fd, sys.SO_ERROR) : 0;
    if (error !== 0) throw new sys.SocketError('recv', error);
    if (options.work > 0) burn(line, options.work, speed);
    ring.send(this.fd, addressOf(line), line.length, SEND, this.fd);
    this.#inFlight++;
    this.#sends++;
  }

  /** Closes as soon as nothing is in flight any more. */
  override close(reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.ending ??= reason;
    if (this.#inFlight > 0) this.shared.ring.cancel(this.fd, CANCEL, 0);
    if (this.#inFlight > 0) this.shared.ring.cancelTimeout(WAIT, this.fd, CANCEL, 0);
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#isClosing && this.#inFlight === 0 && !this.closed) this.closeNow('');
  }
}
