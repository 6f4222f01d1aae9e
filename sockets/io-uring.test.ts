/** io_uring, over real sockets on the loopback interface. */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectedPair } from './examples/connected-pair.ts';
import * as sys from './index.ts';
import { IoUring, whyNoIoUring } from './io-uring.ts';
import { addressOf } from './libc.ts';
import { ProvidedBuffers } from './provided-buffers.ts';

const { ECANCELED, ENOBUFS, ETIME } = os.constants.errno;
const [ACCEPT, RECV, SEND, POLL, CANCEL, TIMEOUT] = [1, 2, 3, 4, 5, 6];
const GROUP = 7;

const reason = whyNoIoUring();
if (reason !== undefined) console.warn(`io_uring is not tested: ${reason}`);

const open: number[] = [];
let ring: IoUring;

beforeEach(() => {
  if (reason === undefined) ring = new IoUring(8, 64);
  if (reason === undefined) open.push(ring.fd);
});

afterEach(() => {
  for (const fd of open.splice(0)) sys.close(fd);
});

function pair() {
  const { client, server } = connectedPair();
  open.push(client, server);
  return { client, server };
}

/** Submits, and waits for so many completions. */
function completions(count: number) {
  const found: Record<string, number | boolean>[] = [];
  for (let i = 0; found.length < count && i < 100; i++) {
    ring.submitAndWait(100);
    while (ring.next()) {
      const { kind, data, result, bufferId, hasMore } = ring;
      found.push({ kind, data, result, bufferId, hasMore });
    }
  }
  return found;
}

describe.skipIf(reason !== undefined)('IoUring', () => {
  test('accepts again and again with one operation', () => {
    const { fd, at } = sys.openListener({ address: '127.0.0.1', port: 0 }, 16, true);
    open.push(fd);
    ring.accept(fd, ACCEPT, 99);
    for (let i = 0; i < 3; i++) {
      const client = sys.socket(sys.AF_INET);
      open.push(client);
      sys.connect(client, at);
      const [done] = completions(1);
      expect(done).toMatchObject({ kind: ACCEPT, data: 99, hasMore: true });
      open.push(done?.result as number);
      expect(sys.getpeername(done?.result as number)).toEqual(sys.getsockname(client));
    }
  });

  test('echoes: a buffer is taken when bytes come, the send is linked to the next recv', () => {
    const { client, server } = pair();
    const buffers = new ProvidedBuffers(ring, GROUP, 4096, 4);
    const answer = Buffer.alloc(100);
    ring.recv(server, GROUP, RECV, 0xffff_fffe);
    // More rounds than buffers, and than the rings have entries.
    for (let i = 0; i < 100; i++) {
      const line = Buffer.from(`line ${i}\r\n`);
      sys.send(client, line);
      const received = completions(1).at(-1) as Record<string, number>;
      expect(received).toMatchObject({ kind: RECV, data: 0xffff_fffe, result: line.length });
      const id = received.bufferId as number;
      ring.makeRoom(2);
      ring.sendLinked(server, buffers.address(id), line.length, SEND, 1);
      ring.recv(server, GROUP, RECV, 0xffff_fffe);
      expect(completions(1)).toEqual([
        { kind: SEND, data: 1, result: line.length, bufferId: -1, hasMore: false },
      ]);
      buffers.release(id);
      expect(sys.recv(client, answer)).toBe(line.length);
      expect(answer.subarray(0, line.length)).toEqual(line);
    }
  });

  test('a send waits for room, and a link that breaks cancels what comes after', () => {
    const { client, server } = pair();
    new ProvidedBuffers(ring, GROUP, 4096, 1);
    const much = Buffer.allocUnsafeSlow(32 * 1024 * 1024).fill('x');
    const address = addressOf(much);
    ring.sendLinked(server, address, much.length, SEND, 1);
    ring.recv(server, GROUP, RECV, 1);
    ring.submitAndWait(0);
    expect(ring.next()).toBe(false);
    const room = Buffer.alloc(1024 * 1024);
    for (let got = 0; got < 1024 * 1024; ) got += sys.recv(client, room);
    sys.setsockopt(client, sys.SO_LINGER, 0);
    sys.close(client);
    open.splice(open.indexOf(client), 1);
    const [sent, received] = completions(2);
    expect(sent).toMatchObject({ kind: SEND });
    expect(sent?.result).toBeLessThan(much.length);
    expect(received).toMatchObject({ kind: RECV, result: -ECANCELED, bufferId: -1 });
  });

  test('a recv without a free buffer says so, and the group can grow', () => {
    const [one, other] = [pair(), pair()];
    const buffers = new ProvidedBuffers(ring, GROUP, 16, 1);
    ring.recv(one.server, GROUP, RECV, 1);
    ring.recv(other.server, GROUP, RECV, 2);
    for (const { client } of [one, other]) sys.send(client, Buffer.from('hello'));
    const results = completions(2).map(({ result }) => result);
    expect(results.sort()).toEqual([-ENOBUFS, 5].sort());
    expect(buffers.growAfter(5)).toBe(false);
    expect(buffers.growAfter(-ENOBUFS)).toBe(true);
    ring.recv(other.server, GROUP, RECV, 2);
    ring.recv(one.server, GROUP, RECV, 1);
    const [after] = completions(1);
    expect(after).toMatchObject({ result: 5, bufferId: 1 });
    expect(buffers.bytes(1, 5).toString()).toBe('hello');
  });

  test('the group does not grow for each recv that has failed at the same time', () => {
    const buffers = new ProvidedBuffers(ring, GROUP, 16, 2);
    for (let i = 0; i < 2; i++) expect(buffers.growAfter(-ENOBUFS)).toBe(true);
    expect(() => buffers.memory(3)).not.toThrow();
    expect(() => buffers.memory(4)).toThrow(RangeError);
    expect(buffers.growAfter(-ENOBUFS)).toBe(true);
    expect(() => buffers.memory(4)).not.toThrow();
  });

  test('polls a descriptor, cancels what is in flight, and a wait ends with its timeout', () => {
    const { client, server } = pair();
    new ProvidedBuffers(ring, GROUP, 16, 1);
    ring.poll(server, sys.POLLIN, POLL, 5);
    const since = performance.now();
    ring.submitAndWait(20);
    expect(performance.now() - since).toBeGreaterThan(15);
    expect(ring.next()).toBe(false);
    sys.send(client, Buffer.from('x'));
    expect(completions(1)).toMatchObject([{ kind: POLL, data: 5, result: sys.POLLIN }]);
    sys.recv(server, Buffer.alloc(10));
    ring.recv(server, GROUP, RECV, 6);
    ring.submitAndWait(0);
    ring.cancel(server, CANCEL, 0);
    const found = completions(2);
    expect(found).toContainEqual(expect.objectContaining({ kind: RECV, result: -ECANCELED }));
    expect(found).toContainEqual(expect.objectContaining({ kind: CANCEL, result: 1 }));
  });

  test('a timeout is an operation, too', () => {
    const since = performance.now();
    ring.timeout(40, TIMEOUT, 2);
    ring.timeout(20, TIMEOUT, 1);
    expect(completions(2)).toMatchObject([
      { kind: TIMEOUT, data: 1, result: -ETIME },
      { kind: TIMEOUT, data: 2, result: -ETIME },
    ]);
    expect(performance.now() - since).toBeGreaterThanOrEqual(40);
  });

  test('a timeout is cancelled by the numbers that were given with it', () => {
    ring.timeout(60_000, TIMEOUT, 1);
    ring.timeout(50, TIMEOUT, 2);
    ring.cancelTimeout(TIMEOUT, 1, CANCEL, 0);
    const found = completions(3);
    expect(found).toContainEqual(expect.objectContaining({ data: 1, result: -ECANCELED }));
    expect(found).toContainEqual(expect.objectContaining({ kind: CANCEL, result: 0 }));
    expect(found).toContainEqual(expect.objectContaining({ data: 2, result: -ETIME }));
  });

  test('more operations and completions than the rings have entries are not lost', () => {
    const { server } = pair();
    for (let i = 0; i < 500; i++) ring.poll(server, sys.POLLOUT, POLL, i);
    const seen = completions(500).map(({ data }) => data as number);
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });
});

const hasStrace = spawnSync('strace', ['-V']).error === undefined;

describe.skipIf(!hasStrace)('a system without io_uring (strace stands in for it)', () => {
  test.each([
    ['EPERM', 'forbids io_uring'],
    ['ENOSYS', 'no io_uring'],
    ['EINVAL', 'Linux 6.1'],
  ])('%s becomes an error with one line', (code, why) => {
    const program = `import { IoUring } from './sockets/io-uring.ts';
      try { new IoUring(); } catch (error) { console.log(error.code, error.message); }`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', program];
    const inject = ['-qq', '-f', '-o', '/dev/null', '-e', `inject=io_uring_setup:error=${code}`];
    const { stdout } = spawnSync('strace', [...inject, ...node], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      encoding: 'utf8',
    });
    expect(stdout).toMatch(new RegExp(`^${code} io_uring_setup ${code}: [^\\n]*${why}[^\\n]*\n$`));
  });
});
