/** What checks expect, and how they say that it did not come. */
import { type Client, ClientError, count, escapeBytes } from '../client/client.ts';
import { Failure, type Scene, Unsupported } from './check.ts';

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

/** Sends complete lines and expects just them back. */
export async function expectEcho(client: Client, lines: string | Uint8Array): Promise<void> {
  const bytes = Buffer.from(lines as string);
  const sending = client.send(bytes);
  sending.catch(() => undefined); // what comes back tells more
  await expectAnswer(client, bytes);
  await sending;
}

/** Expects just these bytes next. Unsupported: they come, but too slowly. */
export async function expectAnswer(client: Client, expected: string | Uint8Array): Promise<void> {
  const bytes = Buffer.from(expected as string);
  let got: Buffer;
  try {
    got = await client.receive(bytes.length);
  } catch (error) {
    if (error instanceof ClientError) await explain(error, client, bytes);
    throw error;
  }
  expectSame(bytes, got);
}

/** Why an echo did not come whole: bytes that are wrong, bytes that are missing, or a slow server. */
async function explain(error: ClientError, client: Client, expected: Buffer): Promise<void> {
  const { came } = error;
  const isRightSoFar = expected.subarray(0, came.length).equals(came);
  if (!isRightSoFar) expectSame(expected, came);
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
  expectSame(expected, came);
}

/** Expects that each of many clients is served while all are connected, and counts who is not. */
export async function expectAllServed(clients: readonly Client[]): Promise<void> {
  const answers = await Promise.allSettled(
    clients.map((client, i) => expectEcho(client, `I am number ${i}\r\n`)),
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
  const { bytes, how } = await endOf(client).catch((error: unknown) => {
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

/** What comes until the end, which may take as long as something comes. */
async function endOf(client: Client): ReturnType<Client['receiveEnd']> {
  for (;;) {
    const { received } = client;
    try {
      return await client.receiveEnd();
    } catch (error) {
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
    await client.close();
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

/** Lines of 1009 bytes, a length that divides no buffer's: reads end in the middle of lines. */
export function blockOfLines(lines = 64): Buffer {
  const line = (i: number) => `${String(i).padStart(7, '0')}${'.'.repeat(1000)}\r\n`;
  return Buffer.from(Array.from({ length: lines }, (_, i) => line(i)).join(''));
}
