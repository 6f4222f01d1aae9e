/**
 * One client of io-uring: which operations are in flight for it, and what follows when one is done. Until
 * then the descriptor and the memory of a send belong to the kernel, so neither is given back earlier.
 */
import { getSystemErrorName } from 'node:util';
import { linesOf } from '../../echo/framing.ts';
import type { ConnectionLog } from '../../echo/log.ts';
import type { Options } from '../../echo/options.ts';
import { burn } from '../../echo/work.ts';
import { Shared } from '../../raw-net/shared.ts';
import { TimedConnection } from '../../raw-net/timed-connection.ts';
import * as sys from '../../sockets/index.ts';
import { IoUring } from '../../sockets/io-uring.ts';
import { addressOf } from '../../sockets/libc.ts';
import { ProvidedBuffers } from '../../sockets/provided-buffers.ts';

// What an operation is, so that its completion is recognised.
export const ACCEPT = 1;
export const EVENT_LOOP = 2;
export const CANCEL = 3;
const RECEIVE = 4;
const SEND = 5;
const WAIT = 6;

/** What all clients share. */
export class Rings extends Shared {
  readonly ring = new IoUring();
  readonly buffers = new ProvidedBuffers(this.ring, 0, 64 * 1024, 256);
  /** Clients with a line to be answered, in turn. */
  readonly queue: Client[] = [];
  /** Clients for whose bytes there was no buffer, and no room for more buffers. */
  readonly starved: Client[] = [];

  /** Gives a provided buffer back, if there is one. */
  release(bufferId: number): void {
    if (bufferId < 0) return;
    this.buffers.release(bufferId);
    this.starved.shift()?.receive();
  }
}

export class Client extends TimedConnection {
  readonly #id: number;
  readonly #rings: Rings;
  readonly #options: Options;
  #inFlight = 0;
  #sends = 0;
  #isClosing = false;
  /** What is being sent: a part of a provided buffer, and perhaps an unfinished line that came before. */
  #bufferId = -1;
  #pieces: readonly Buffer[] | undefined;
  /** With `--work` or `--wait`: the line that is to be answered next, and those behind it. */
  #line: Buffer | undefined;
  #moreLines: Generator<Buffer> | undefined;

  constructor(id: number, fd: number, rings: Rings, log: ConnectionLog) {
    super(fd, rings, log);
    this.#id = id;
    this.#rings = rings;
    this.#options = rings.options;
  }

  override get hasLine(): boolean {
    return this.#line !== undefined;
  }

  override get isSending(): boolean {
    return this.#sends > 0;
  }

  /** Begins a reception. */
  receive(): void {
    if (this.#isClosing) return;
    const { ring, buffers } = this.#rings;
    ring.recv(this.fd, buffers.group, RECEIVE, this.#id);
    this.#inFlight++;
  }

  /** An operation is done: the ring's current completion tells how. */
  done(): void {
    const { ring, queue } = this.#rings;
    if (ring.kind === WAIT) {
      queue.push(this);
      return;
    }
    this.#inFlight--;
    if (ring.kind === SEND) this.#hasSent(ring.result);
    else if (ring.result > 0) this.#hasReceived(ring.result, ring.bufferId);
    else this.#hasNotReceived(ring.result);
    this.#closeIfDone();
  }

  #hasNotReceived(result: number): void {
    const { buffers, starved } = this.#rings;
    if (result === 0) this.close('end of input');
    else if (buffers.growAfter(result)) this.receive();
    else if (getSystemErrorName(result) === 'ENOBUFS') starved.push(this);
    else this.close(getSystemErrorName(result));
  }

  #hasReceived(length: number, bufferId: number): void {
    this.wasReady = true;
    if (this.ending !== undefined) {
      this.#rings.release(bufferId);
      this.receive();
      return;
    }
    this.received += length;
    if (this.shared.linesCost) this.#queueLines(bufferId, length);
    else this.#answer(bufferId, length);
    if (this.framer.tailHasBareLf) this.hint();
    if (this.framer.overlong) this.end(this.framer.overlongReason);
  }

  /** Sends the complete lines from where they were received; the next reception begins when they are sent. */
  #answer(bufferId: number, length: number): void {
    const { ring, buffers } = this.#rings;
    ring.makeRoom(3); // what is linked has to be handed over together
    if (this.framer.tailLength === 0) {
      const offset = buffers.offset(bufferId);
      const { start, end } = this.framer.frame(buffers.memory(bufferId), offset, offset + length);
      if (end > start) this.#send(buffers.address(bufferId), end - start, false);
    } else {
      this.#pieces = this.framer.push(buffers.bytes(bufferId, length));
      const last = this.#pieces.at(-1);
      for (const bytes of this.#pieces) this.#send(addressOf(bytes), bytes.length, bytes !== last);
    }
    if (this.#sends > 0) this.#bufferId = bufferId;
    else this.#rings.release(bufferId);
    this.receive();
  }

  #send(address: number, length: number, isMore: boolean): void {
    this.#rings.ring.sendLinked(this.fd, address, length, isMore, SEND, this.#id);
    this.#inFlight++;
    this.#sends++;
  }

  #hasSent(result: number): void {
    this.#sends--;
    if (result < 0) this.close(getSystemErrorName(result));
    else this.sent += result;
    if (this.#sends > 0) return;
    this.#rings.release(this.#bufferId);
    this.#bufferId = -1;
    this.#pieces = undefined;
    if (this.#line) this.#nextLine();
    this.endIfDone();
  }

  /** With `--work` or `--wait`: keeps the lines, and gives the buffer back. */
  #queueLines(bufferId: number, length: number): void {
    const run = Buffer.concat(this.framer.push(this.#rings.buffers.bytes(bufferId, length)));
    this.#rings.release(bufferId);
    this.#moreLines = linesOf(run, this.#options.endOfLine);
    this.#nextLine();
  }

  /** The next line waits first: that is an operation, too. After the last one it receives again. */
  #nextLine(): void {
    const { ring, queue } = this.#rings;
    this.#line = this.#moreLines?.next().value;
    if (!this.#line) this.receive();
    else if (this.#options.wait > 0) ring.timeout(this.#options.wait, WAIT, this.#id);
    else queue.push(this);
  }

  /** With `--work` or `--wait`: pays for the line whose turn it is, and sends it. */
  answerLine(): void {
    if (!this.#line || this.#isClosing) return;
    if (this.#options.work > 0) {
      // No reception is in flight that would tell: nobody works for a client that has left.
      const error = sys.getsockopt(this.fd, sys.SO_ERROR);
      if (error !== 0) this.close(getSystemErrorName(-error));
      else burn(this.#line, this.#options.work, this.shared.speed);
    }
    if (this.#isClosing) return;
    this.#rings.ring.send(this.fd, addressOf(this.#line), this.#line.length, SEND, this.#id);
    this.#inFlight++;
    this.#sends++;
  }

  protected override endIfDone(): void {
    if (!this.#isClosing) super.endIfDone();
  }

  /** Closes as soon as nothing is in flight any more. */
  override close(reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.ending ??= reason;
    if (this.#inFlight > 0) this.#rings.ring.cancel(this.fd, CANCEL, 0);
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (!this.#isClosing || this.#inFlight > 0 || this.closed) return;
    this.#rings.release(this.#bufferId);
    this.closeNow(this.ending ?? '');
  }
}
