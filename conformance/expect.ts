/** What checks expect, and how they say that it did not come. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  ClientError,
  count,
  escapeBytes,
  isNarrowPossible,
} from '../client/client.ts';
import { Failure, type Scene, type Target, Unsupported } from './check.ts';
import { linesOf, randomNumbers } from './content.ts';
import { paceOf } from './pace.ts';
import { HELD_UP, isWithTheKernel } from './queues.ts';

/** Throws a Failure that shows the first difference, with CR and LF visible. */
export function expectSame(expected: Uint8Array, got: Uint8Array, offset = 0): void {
  if (Buffer.compare(expected, got) === 0) return;
  const shared = Math.min(expected.length, got.length);
  let at = 0;
  while (at < shared && expected[at] === got[at]) at++;
  const around = (bytes: Uint8Array) => {
    const from = Math.max(0, at - 8);
    const more = bytes.length > at + 16 ? '…' : '';
    return `"${from > 0 ? '…' : ''}${escapeBytes(bytes.subarray(from, at + 16))}${more}"`;
  };
  const difference = { offset: offset + at, expected: around(expected), got: around(got) };
  throw new Failure(
    `the answer differs at byte ${difference.offset}: expected ${difference.expected}, got ${difference.got}`,
    difference,
  );
}

/**
 * Sends complete lines and expects just them back.
 *
 * @param offset - how many bytes were right before them, to say where a difference is
 */
export async function expectEcho(
  client: Client,
  lines: string | Uint8Array,
  offset = 0,
): Promise<void> {
  const bytes = Buffer.from(lines as string);
  const sending = client.send(bytes);
  sending.catch(() => undefined); // what comes back tells more
  await expectAnswer(client, bytes, offset);
  await sending;
}

/** Expects just these bytes next. Unsupported: they come, but too slowly. */
export async function expectAnswer(
  client: Client,
  expected: string | Uint8Array,
  offset = 0,
): Promise<void> {
  const bytes = Buffer.from(expected as string);
  let got: Buffer;
  try {
    got = await client.receive(bytes.length);
  } catch (error) {
    if (error instanceof ClientError) await explain(error, client, bytes, offset);
    throw error;
  }
  expectSame(bytes, got, offset);
}

/** Why an echo did not come whole: bytes that are wrong, bytes that are missing, or a slow server. */
async function explain(
  error: ClientError,
  client: Client,
  expected: Buffer,
  offset: number,
): Promise<void> {
  // The error tells no more than the first 64 KiB of what had come.
  const came = client.peek(expected.length);
  const isRightSoFar = expected.subarray(0, came.length).equals(came);
  if (!isRightSoFar) expectSame(expected, came, offset);
  if (error.reason !== 'timeout' || came.length === 0) return;
  const isComing = await client.receive(client.pending + 1, { timeout: 1500 }).then(
    () => true,
    () => false,
  );
  if (isComing) {
    throw new Unsupported(
      `too slow to tell: ${count(came.length)} of ${count(expected.length)} bytes had come, all of them right, and more were coming`,
    );
  }
  expectSame(expected, came, offset);
}

/**
 * Expects that each of many clients is served while all are connected, and counts who is not. A server may take
 * long for each of them (it starts a process, say): while one after another is served, the others wait on.
 */
export async function expectAllServed(clients: readonly Client[]): Promise<void> {
  let lastServedAt = 0;
  const serve = async (client: Client, line: string): Promise<void> => {
    client.send(line).catch(() => undefined); // what comes back tells more
    for (;;) {
      const since = performance.now();
      try {
        await expectAnswer(client, line);
        lastServedAt = performance.now();
        return;
      } catch (error) {
        const isWaiting = error instanceof ClientError && error.reason === 'timeout';
        if (!isWaiting || client.pending > 0 || lastServedAt < since) throw error;
      }
    }
  };
  const answers = await Promise.allSettled(
    clients.map((client, i) => serve(client, `I am number ${i}\r\n`)),
  );
  const served = answers.filter(({ status }) => status === 'fulfilled').length;
  if (served === clients.length) return;
  for (const answer of answers) {
    if (answer.status === 'rejected' && answer.reason instanceof Failure) throw answer.reason;
  }
  const others = answers.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  const gotTooMuch = clients.find(
    ({ pending }, i) => pending > 0 && answers[i]?.status === 'fulfilled',
  );
  if (gotTooMuch) {
    throw new Failure(
      `an answer went to the wrong client: ${gotTooMuch.name} got "${escapeBytes(gotTooMuch.peek(40))}" besides its own (${others.reason.message})`,
    );
  }
  throw new Failure(
    `${count(served)} of ${count(clients.length)} clients were served at once; the others were not: ${others.reason.message}`,
  );
}

/** Expects that nothing more has come than was taken, now and a moment later. */
export async function expectNothing(scene: Scene, client: Client, because: string): Promise<void> {
  await scene.quiet();
  if (client.pending === 0) return;
  throw new Failure(`${because}, but "${escapeBytes(client.peek(40))}" came`);
}

/** Expects that the server ends the connection in order, after just these bytes. */
export async function expectEnd(client: Client, expected: Uint8Array): Promise<void> {
  const { bytes, how } = await endOf(client, expected).catch((error: unknown) => {
    const isOpen = error instanceof ClientError && error.reason === 'timeout';
    const came = client.peek(expected.length + 1);
    if (!isOpen || Buffer.compare(came, expected) !== 0) throw error;
    throw new Failure(
      'all that was owed came, but the server does not end the connection: does it notice the end of input?',
    );
  });
  expectSame(expected, bytes);
  if (how !== 'fin') throw new Failure(`the server reset the connection instead of closing it`);
}

/** What comes until the end, which may take as long as something comes that is owed. */
async function endOf(client: Client, expected: Uint8Array): ReturnType<Client['receiveEnd']> {
  for (;;) {
    const { received } = client;
    try {
      return await client.receiveEnd();
    } catch (error) {
      if (client.pending > expected.length) expectSame(expected, client.peek(expected.length + 64));
      const isSlow = error instanceof ClientError && error.reason === 'timeout';
      if (!isSlow || client.received === received) throw error;
    }
  }
}

/** Expects that somebody who comes now is served. */
export async function expectService(scene: Scene, when: string): Promise<void> {
  try {
    const client = await scene.client('newcomer');
    await expectEcho(client, 'anybody there?\r\n');
    await client.close({ timeout: scene.moment });
  } catch (error) {
    throw new Failure(`${when}, a new client is not served: ${(error as Error).message}`);
  }
}

/**
 * Takes a block again and again, `total` bytes, and compares every one.
 *
 * @param block - what is repeated
 */
export async function expectRepeated(client: Client, block: Buffer, total: number): Promise<void> {
  const twice = Buffer.concat([block, block]);
  for (let at = 0; at < total; ) {
    const most = Math.min(block.length, total - at);
    const got = await client.receiveSome({ most }).catch((error: Error) => {
      throw new Failure(
        `${count(total - at)} bytes of ${count(total)} never came: ${error.message}`,
      );
    });
    const start = at % block.length;
    expectSame(twice.subarray(start, start + got.length), got, at);
    at += got.length;
  }
}

/**
 * A client whose kernel takes little at a time, where that can be had: what a server owes it stays on the
 * server's side, where it can be lost.
 */
export const NARROW: { readonly receiveBuffer?: number } = isNarrowPossible
  ? { receiveBuffer: 2048 }
  : {};

/**
 * Sends lines through a narrow client, and stops reading at the first byte that comes back: the server has
 * begun to answer, however late it came to it, and the kernel does not take the rest.
 */
export async function leaveOutputPending(client: Client, lines: Uint8Array): Promise<void> {
  client.send(lines).catch(() => undefined);
  await client.receive(1);
  client.pause();
}

/**
 * Sends a line that is too long, and waits until the server ends the connection.
 *
 * @throws ClientError when it does not
 */
export async function sendTooLong(client: Client, { maxLine }: Target): Promise<void> {
  client.send(Buffer.alloc(maxLine + 4000, 'too long ')).catch(() => undefined);
  await client.receiveEnd();
}

/** How a stream goes. */
export interface Stream {
  /** The connection's number: its lines differ from those of all others. */
  readonly who: number;
  /** How many bytes to send, at most. */
  readonly bytes: number;
  /** How many bytes may be on their way: a slow server has less before it. */
  readonly ahead: number;
  /** When to begin no more lines, as performance.now() has it. */
  readonly until: number;
  /** Goes on until so many bytes were sent, but not longer than `latest`. Default: 0. */
  readonly least?: number;
  readonly latest?: number;
  /** The longest line, in bytes. */
  readonly longest: number;
  /** Whether the lines are UTF-8 that is mostly not ASCII. Default: ASCII. */
  readonly isText?: boolean;
  /** Takes so many bytes at a time, at most, and rests now and then. Default: reads what comes. */
  readonly sip?: number;
}

/**
 * Sends lines in pieces of all sizes and compares every byte that comes back, both at once.
 *
 * @returns how many bytes came back
 */
export async function expectStream(client: Client, port: number, stream: Stream): Promise<number> {
  const { who, bytes, ahead, until, longest, isText, sip, least = 0, latest = until } = stream;
  const random = randomNumbers(who);
  const owed: Buffer[] = [];
  let pending = 0;
  let verified = 0;
  let isSent = false;
  const sending = (async () => {
    let lines = 0;
    const isTime = (sent: number) => performance.now() < (sent < least ? latest : until);
    for (let sent = 0; sent < bytes && isTime(sent) && !client.ending; ) {
      if (pending > ahead) {
        await sleep(1);
        continue;
      }
      const some = linesOf(who, lines, Math.min(16_384, ahead), longest, isText);
      lines += 10_000; // numbers need not be without gaps
      owed.push(some);
      pending += some.length;
      sent += some.length;
      for (let at = 0; at < some.length; ) {
        const piece = Math.ceil(random() ** 3 * 16_384);
        // A wait that is over changes nothing: it stays on its way, and what comes back decides.
        await client.send(some.subarray(at, at + piece)).catch(() => undefined);
        at += piece;
      }
    }
  })().finally(() => {
    isSent = true;
  });
  for (let at = 0; !isSent || owed.length > 0; ) {
    const expected = owed[0];
    if (!expected) {
      await sleep(1);
      continue;
    }
    const most = Math.min(expected.length - at, sip ? Math.ceil(random() * sip) : 65_536);
    const got = await client.receiveSome({ most }).catch((error: Error) => {
      if (isWithTheKernel(port, client)) throw new Unsupported(HELD_UP);
      throw new Failure(`${count(verified)} bytes came back, and then: ${error.message}`);
    });
    expectSame(expected.subarray(at, at + got.length), got, verified);
    at += got.length;
    verified += got.length;
    pending -= got.length;
    if (at === expected.length) {
      owed.shift();
      at = 0;
    }
    if (sip && random() < 0.02) await sleep(1);
  }
  await sending;
  return verified;
}

/** How many bytes of lines of up to `longest` bytes a server does in half a second, and `most` at most. */
export async function aheadFor(scene: Scene, longest: number, most: number): Promise<number> {
  const { line, byte } = await paceOf(scene);
  const each = Math.max(line, (byte * longest) / 2);
  return Math.max(64, Math.min(most, Math.floor(((500 / each) * (longest + 2)) / 2)));
}

/**
 * Lines of 1009 bytes, a length that divides no buffer's: reads end in the middle of lines.
 *
 * @param fill - a sign of its own for each client that has output pending when others have (a to z)
 */
export function blockOfLines(lines = 64, fill = '.'): Buffer {
  const line = (i: number) => `${String(i).padStart(7, '0')}${fill.repeat(1000)}\r\n`;
  return Buffer.from(Array.from({ length: lines }, (_, i) => line(i)).join(''));
}
