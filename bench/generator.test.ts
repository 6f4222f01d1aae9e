/** The generator against servers that are wrong: a figure of its own could be trusted otherwise only by faith. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { nodeCommand } from '../conformance/node-command.ts';
import { Generator, WrongServer } from './generator-process.ts';

let generator: Generator;
let server: Server | undefined;
const sockets = new Set<Socket>();

beforeAll(() => {
  generator = new Generator();
});
afterAll(() => generator.end());
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server?.close();
});

/** Starts a server that does with each chunk what it is told. @returns its port */
async function serve(answer: (chunk: Buffer, socket: Socket) => void): Promise<number> {
  const started = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('data', (chunk) => answer(chunk, socket));
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return (started.address() as { port: number }).port;
}

const echo = (chunk: Buffer, socket: Socket) => socket.write(chunk);

/** A server that is right for the first line of each of `CLIENTS`, and wrong in the given way after that. */
function wrongLater(answer: (chunk: Buffer, socket: Socket) => void): Promise<number> {
  const greeted = new Set<Socket>();
  return serve((chunk, socket) => {
    if (greeted.has(socket)) return answer(chunk, socket);
    greeted.add(socket);
    return socket.write(chunk);
  });
}

const CLIENTS = 3;
// Milliseconds: long, because a busy machine may make a right answer late.
const patience = 5000;
const crowd = { crowd: 'a', connections: CLIENTS, lineLength: 64, linesEach: 8, patience };
const loop = { crowd: 'a', window: 4, warmUp: 0.02, seconds: 0.1 };

/** What the generator has to say about a server under the closed loop. */
async function verdict(port: number, patience = crowd.patience): Promise<string> {
  try {
    await generator.tell('join', { ...crowd, port, patience });
    await generator.tell('closed', loop);
    await generator.tell('leave', { crowd: 'a' });
    return 'right';
  } catch (error) {
    if (error instanceof WrongServer) return error.message;
    throw error;
  } finally {
    await generator.tell('dismiss', {});
  }
}

describe('a server that is right', () => {
  test('is timed in the closed loop', async () => {
    await generator.tell('join', { ...crowd, port: await serve(echo) });
    const order = { ...loop, pids: [process.pid] };
    const { linesPerSecond, bytesPerSecond, saturation, serverCores } = await generator.tell(
      'closed',
      order,
    );
    await generator.tell('leave', { crowd: 'a' });
    expect(linesPerSecond).toBeGreaterThan(0);
    expect(bytesPerSecond / linesPerSecond).toBeCloseTo(64);
    expect(saturation).toBeGreaterThan(0);
    expect(serverCores).toBeGreaterThan(0);
  });

  test('may cut lines anywhere', async () => {
    const port = await serve((chunk, socket) => {
      socket.write(chunk.subarray(0, 7));
      setImmediate(() => socket.write(chunk.subarray(7)));
    });
    await generator.tell('join', { ...crowd, port });
    await generator.tell('closed', loop);
    await generator.tell('leave', { crowd: 'a' });
  });

  test('is timed line by line in the open loop', async () => {
    await generator.tell('join', { ...crowd, port: await serve(echo) });
    const order = { crowd: 'a', rate: 500, warmUp: 0.1, seconds: 0.4 };
    const latency = await generator.tell('open', order);
    await generator.tell('leave', { crowd: 'a' });
    expect(latency.lines).toBe(200);
    expect(latency.p50).toBeGreaterThan(0);
    expect(latency.max).toBeGreaterThanOrEqual(latency.p99);
  });

  test('is timed for clients that come and go', async () => {
    const port = await serve(echo);
    const order = { port, clients: 4, lineLength: 64, warmUp: 0.02, seconds: 0.1, patience };
    expect((await generator.tell('churn', order)).clientsPerSecond).toBeGreaterThan(0);
  });
});

describe('a server that is wrong is not timed, and told', () => {
  test('zeros instead of bytes', async () => {
    const port = await wrongLater((chunk, socket) => socket.write(Buffer.alloc(chunk.length)));
    expect(await verdict(port)).toMatch(/byte 64 should begin ".+", came "\\x00\\x00/);
  });

  test('zeros already in the first answer', async () => {
    const port = await serve((chunk, socket) => socket.write(Buffer.alloc(chunk.length)));
    expect(await verdict(port)).toMatch(/byte 0 should begin/);
  });

  test('a line dropped in the middle', async () => {
    let chunks = 0;
    const port = await wrongLater((chunk, socket) => {
      socket.write(++chunks === 5 ? chunk.subarray(64) : chunk);
    });
    expect(await verdict(port)).toMatch(/should begin|still owes 64 of \d+ bytes/);
  });

  test('the last line of all dropped', async () => {
    const port = await wrongLater(() => {});
    expect(await verdict(port, 300)).toMatch(/still owes \d+ of \d+ bytes after 300 ms/);
  });

  test('two bytes swapped', async () => {
    const port = await wrongLater((chunk, socket) => {
      const [first = 0, second = 0] = chunk;
      socket.write(Buffer.concat([Buffer.of(second, first), chunk.subarray(2)]));
    });
    expect(await verdict(port)).toMatch(LINE_64);
  });

  /** A server that gives each of two clients what the other has sent. */
  function swapping(): Promise<number> {
    let waiting: { chunk: Buffer; socket: Socket } | undefined;
    return wrongLater((chunk, socket) => {
      if (waiting && waiting.socket !== socket) {
        socket.write(waiting.chunk);
        waiting.socket.write(chunk);
        waiting = undefined;
      } else {
        waiting = { chunk, socket };
      }
    });
  }

  // Lines are of 64 bytes; two may begin with the same bytes by chance.
  const LINE_64 = /byte (6[4-9]|7\d) should begin/;

  test('two clients swapped', async () => {
    expect(await verdict(await swapping())).toMatch(LINE_64);
  });

  test('two clients swapped that two generators have', async () => {
    const port = await swapping();
    const both = [new Generator(), new Generator()];
    try {
      const one = { ...crowd, connections: 1, port };
      await Promise.all(both.map((each) => each.tell('join', one)));
      const told = await Promise.allSettled(both.map((each) => each.tell('closed', loop)));
      const reasons = told.map((each) => (each.status === 'rejected' ? String(each.reason) : ''));
      expect(reasons.join()).toMatch(LINE_64);
    } finally {
      for (const each of both) each.end();
    }
  });

  test('bytes after the goodbye', async () => {
    let isFirst = true;
    const port = await serve((chunk, socket) => {
      if (isFirst) socket.prependOnceListener('end', () => socket.write('more'));
      isFirst = false;
      socket.write(chunk);
    });
    expect(await verdict(port)).toMatch(/the server sent 4 bytes more than it got/);
  });

  test('a stall in the open loop that is longer than the patience', async () => {
    const port = await wrongLater((chunk, socket) => setTimeout(() => socket.write(chunk), 1800));
    await generator.tell('join', { ...crowd, port, patience: 1000 });
    const order = { crowd: 'a', rate: 100, warmUp: 0, seconds: 0.1 };
    await expect(generator.tell('open', order)).rejects.toThrow(/still owes \d+ of \d+ bytes/);
    await generator.tell('dismiss', {});
  });

  test('silent clients that the server has forgotten', async () => {
    const port = await wrongLater(() => {});
    await generator.tell('join', { ...crowd, port, patience: 300 });
    await expect(generator.tell('prove', { crowd: 'a' })).rejects.toThrow(/still owes 64 of 128/);
    await generator.tell('dismiss', {});
  });

  test('a line twice', async () => {
    const port = await wrongLater((chunk, socket) => {
      socket.write(chunk);
      socket.write(chunk);
    });
    expect(await verdict(port)).toMatch(/should begin|bytes more than it got/);
  });

  test('a server that closes', async () => {
    const port = await wrongLater((_, socket) => socket.destroy());
    expect(await verdict(port)).toMatch(/the server (closed|broke the connection)/);
  });

  test('a server that leaves a client that comes and goes without its echo', async () => {
    const port = await serve((_, socket) => socket.end());
    const order = { port, clients: 2, lineLength: 64, warmUp: 0.02, seconds: 0.1, patience };
    await expect(generator.tell('churn', order)).rejects.toThrow(/the server closed, and owed 64/);
  });

  test('a server that is not there', async () => {
    const port = await serve(echo);
    await new Promise((resolve) => server?.close(resolve));
    expect(await verdict(port)).toMatch(/the server is not there: connect ECONNREFUSED/);
  });
});

test('a crowd that cannot come leaves nothing open', async () => {
  const port = await serve((chunk, socket) => socket.write(Buffer.alloc(chunk.length)));
  await expect(generator.tell('join', { ...crowd, port })).rejects.toThrow(/byte 0/);
  const gone = () => [...sockets].filter(({ destroyed }) => destroyed).length;
  await expect.poll(gone).toBe(CLIENTS);
});

test('an answer that is late shows in the open loop, with all that had to wait behind it', async () => {
  const HELD = 200; // ms
  let lines = 0;
  let isHeld = false;
  const port = await serve((chunk, socket) => {
    if (++lines === 60) {
      isHeld = true;
      setTimeout(() => {
        isHeld = false;
        for (const each of sockets) each.emit('data', Buffer.alloc(0));
      }, HELD);
    }
    const owed = Buffer.concat([owedTo.get(socket) ?? Buffer.alloc(0), chunk]);
    owedTo.set(socket, isHeld ? owed : Buffer.alloc(0));
    if (!isHeld && owed.length > 0) socket.write(owed);
  });
  await generator.tell('join', { ...crowd, port });
  const order = { crowd: 'a', rate: 200, warmUp: 0.1, seconds: 0.8 };
  const { max, p90 } = await generator.tell('open', order);
  await generator.tell('leave', { crowd: 'a' });
  // A generator that waited for the answer before it sent the next would see one slow line per client.
  expect(max).toBeGreaterThan(HELD * 1000 * 0.9);
  expect(p90).toBeGreaterThan(HELD * 1000 * 0.25);
});
const owedTo = new WeakMap<Socket, Buffer>();

test('a generator whose reader has left ends without a word', async () => {
  const [program = '', ...args] = nodeCommand('bench/generator/index.ts');
  const child = spawn(program, args, { cwd: new URL('..', import.meta.url), stdio: 'pipe' });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  child.stdout.destroy();
  child.stdin.write(`${JSON.stringify({ command: 'dismiss', order: {} })}\n`);
  const [code] = await once(child, 'close');
  expect(said).toBe('');
  expect(code).toBe(0);
});
