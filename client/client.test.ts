import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ByteQueue } from './byte-queue.ts';
import {
  type Client,
  ClientError,
  type ConnectOptions,
  connect,
  escapeBytes,
  escapeShortened,
  Transcript,
} from './client.ts';

const servers: Server[] = [];
const clients: Client[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.destroy()));
  for (const server of servers.splice(0)) server.close();
});

/** A server that does what the test says with each connection, and a client of it. */
async function against(
  behave: (socket: Socket) => void,
  options: Partial<ConnectOptions> = {},
): Promise<Client> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    behave(socket);
  });
  servers.push(server);
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  const client = await connect({ host, port, timeout: 2000, ...options });
  clients.push(client);
  return client;
}

function later<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const echo = (socket: Socket) => void socket.pipe(socket);

test.each(['127.0.0.1', '::1'])('sends and receives on %s', async (host) => {
  const client = await against(echo, { host });
  await client.send('one\r\ntwo\nthree\r\n');
  expect(String(await client.receiveLine())).toBe('one\r\n');
  expect(String(await client.receive(2))).toBe('tw');
  expect(String(await client.receiveLine({ terminator: '\n' }))).toBe('o\n');
  expect(String(await client.receiveSome({ most: 4 }))).toBe('thre');
  await client.halfClose();
  expect(await client.receiveEnd()).toEqual({ bytes: Buffer.from('e\r\n'), how: 'fin' });
  expect(client.received).toBe(16);
});

test('has the address and the port that it is told to have, also those of one that has reset', async () => {
  // The kernel gives these ports to nobody of its own accord, so no other connection has had this one lately.
  const local = { address: '127.0.0.1', port: 20_000 + Math.floor(Math.random() * 10_000) };
  const first = await against(echo, { from: local });
  expect(first.local).toEqual(local);
  const port = servers.map((server) => (server.address() as { port: number }).port)[0] as number;
  await first.reset();
  const second = await connect({ port, timeout: 2000, from: local });
  clients.push(second);
  expect(second.local).toEqual(local);
  await second.send('one\r\n');
  expect(String(await second.receiveLine())).toBe('one\r\n');
  const third = connect({ port, timeout: 2000, from: local });
  await expect(third).rejects.toThrow(/EADDR(INUSE|NOTAVAIL)/);
});

test('sends each piece in its own segment', async () => {
  const pieces: string[] = [];
  const client = await against((socket) => {
    socket.on('data', (data) => {
      pieces.push(String(data));
      socket.write('.');
    });
  });
  for (const piece of ['hel', 'lo\r', '\n']) {
    await client.play(1, piece);
    await client.receive(1);
  }
  expect(pieces).toEqual(['hel', 'lo\r', '\n']);
  await client.sendBytewise('abc', 30);
  await expect.poll(() => pieces.slice(3).join('')).toBe('abc');
  expect(pieces.length).toBeGreaterThan(4);
});

test('a wait that fails says what had come, and leaves it', async () => {
  const client = await against(echo, { timeout: 50 });
  await client.send('half\r');
  const failure = await client.receiveLine().catch((error) => error);
  expect(failure).toBeInstanceOf(ClientError);
  expect(failure.reason).toBe('timeout');
  expect(failure.message).toContain('5 bytes "half\\r" had come');
  expect(String(await client.receive(5))).toBe('half\r');
});

test('tells FIN from RST', async () => {
  const fin = await against((socket) => void socket.end('bye'));
  expect(await fin.receiveEnd()).toEqual({ bytes: Buffer.from('bye'), how: 'fin' });
  const reset = await against((socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  await reset.send('hello');
  expect(await reset.receiveEnd()).toMatchObject({ how: 'reset' });
  await expect(reset.receive(1)).rejects.toMatchObject({ reason: 'reset' });
});

test('a reset right behind a FIN closes the socket', async () => {
  const client = await against((socket) => socket.resume());
  client.halfClose().catch(() => undefined);
  await client.reset();
  expect(client.ending).toBe('closed');
});

test('a reset reaches the server as one', async () => {
  const seen = later<string>();
  const client = await against((socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => seen.resolve(error.code ?? ''));
    socket.on('data', (bytes) => socket.write(bytes));
  });
  await client.send('half a li');
  await client.receive(9); // a reset that overtakes the accept is seen by nobody
  await client.reset();
  expect(await seen.promise).toBe('ECONNRESET');
});

test('a polite close drains what still comes, so that the server sees FIN and no reset', async () => {
  const seen = later<string>();
  const client = await against(
    (socket) => {
      socket.write(Buffer.alloc(1_000_000));
      socket.on('error', (error) => seen.resolve(error.message));
      socket.on('end', () => socket.end());
      socket.on('close', () => seen.resolve('closed in order'));
      socket.resume();
    },
    { reading: false },
  );
  expect(await client.close()).toBe('fin');
  expect(await seen.promise).toBe('closed in order');
});

test('a polite close from a server that never closes is bounded', async () => {
  const client = await against((socket) => void socket.resume());
  expect(await client.close({ timeout: 50 })).toBe('closed');
});

test('a client that stops reading gets nothing until it resumes, then everything', async () => {
  const client = await against(echo, { reading: false });
  const block = Buffer.from('0123456789'.repeat(5000));
  const outcome = await client.flood(block, { limit: 200_000_000, stall: 200 });
  expect(outcome).toBe('stalled');
  expect(client.received).toBe(0);
  expect(client.offered - client.taken).toBe(block.length);
  const fin = client.halfClose();
  client.resume();
  const { bytes, how } = await client.receiveEnd();
  await fin;
  expect(how).toBe('fin');
  expect(bytes.length).toBe(client.offered);
  expect(bytes.equals(Buffer.alloc(client.offered, block))).toBe(true);
});

test('a flood ends at its limit, and at the end of the connection', async () => {
  const polite = await against((socket) => void socket.resume());
  const block = Buffer.alloc(10_000);
  expect(await polite.flood(block, { limit: 25_000, stall: 1000 })).toBe('limit');
  expect(polite.taken).toBe(30_000);
  const rude = await against((socket) => void socket.once('data', () => socket.destroy()));
  expect(await rude.flood(block, { limit: 1e9, stall: 1000 })).toBe('ended');
});

test('a half-close ends a flood in order: all of it comes back, and no reset', async () => {
  const client = await against(echo);
  const flood = client.flood(Buffer.alloc(50_000), { limit: 1e9, stall: 5000 });
  await client.receiveSome();
  const fin = client.halfClose();
  expect(await flood).toBe('ended');
  await fin;
  expect((await client.receiveEnd()).how).toBe('fin');
  expect(client.received).toBe(client.offered);
});

test('what nobody takes is bounded by the capacity', async () => {
  const client = await against((socket) => void socket.end(Buffer.alloc(5_000_000, 'x')), {
    capacity: 100_000,
  });
  await expect(client.receiveLine()).rejects.toMatchObject({ reason: 'too-much' });
  expect(client.pending).toBeLessThan(200_000);
  expect((await client.receive(5_000_000)).length).toBe(5_000_000);
});

test('a connection that is refused is told', async () => {
  await expect(connect({ port: 1 })).rejects.toMatchObject({ reason: 'unreachable' });
});

test('promises that nobody awaits end nothing', async () => {
  const client = await against((socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  void client.receive(1, { timeout: 10 });
  await client.send('hello');
  await client.receiveEnd();
  void client.send('late');
  void client.halfClose();
  expect(client.ending).toBe('reset');
});

test('the transcript is bounded, escaped and shortened', () => {
  const transcript = new Transcript(4);
  for (let i = 0; i < 10; i += 1) transcript.note('a', `does ${i}`);
  expect(transcript.entries.map(({ what }) => what)).toEqual([
    'does 0',
    'does 1',
    'does 8',
    'does 9',
  ]);
  transcript.note('a', 'sends', Buffer.from('\x1b[2J\r\n'));
  expect(transcript.toString()).toContain('a sends 6 bytes: \\x1b[2J\\r\\n');
  expect(transcript.toString()).toContain('… 7 more …');
  expect(escapeBytes(Buffer.from([0, 0x7f, 0x80, 0x5c]))).toBe('\\x00\\x7f\\x80\\\\');
  expect(escapeShortened(Buffer.alloc(5000, 'x'), 6)).toBe('xxxx … 4,994 bytes … xx');
});

test('a byte queue finds line ends across chunks', () => {
  const queue = new ByteQueue();
  for (const piece of ['a\n', 'b\r', '\nc', '\r', '\n\r\n']) queue.push(Buffer.from(piece));
  expect(String(queue.take(queue.lineLength('\r\n') ?? 0))).toBe('a\nb\r\n');
  expect(String(queue.take(queue.lineLength('\r\n') ?? 0))).toBe('c\r\n');
  expect(queue.lineLength('\n')).toBe(2);
  expect(String(queue.take(99))).toBe('\r\n');
  expect(queue.lineLength('\r\n')).toBeUndefined();
  queue.push(Buffer.from('\r'));
  expect(queue.lineLength('\r\n')).toBeUndefined();
  queue.push(Buffer.from('\n'));
  expect(queue.lineLength('\r\n')).toBe(2);
});
