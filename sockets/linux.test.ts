/** What the kernel tells about time and about output: sleeps, timeouts, acknowledgements. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as sys from './index.ts';
import { decodeOption, encodeOption } from './options.ts';

const open: number[] = [];
const keep = (fd: number) => {
  open.push(fd);
  return fd;
};

afterEach(() => {
  for (const fd of open.splice(0)) sys.close(fd);
});

/** Two connected sockets. */
function pair() {
  const { fd, at } = sys.openListener({ address: '127.0.0.1', port: 0 }, 16, true);
  keep(fd);
  const client = keep(sys.socket(sys.AF_INET));
  sys.connect(client, at);
  return { client, server: keep(sys.accept(fd)) };
}

describe('a timeout', () => {
  test.each([
    [0, 0, 0],
    [1e-7, 0, 1],
    [0.0004, 0, 1],
    [999.9996, 1, 0],
    [1000, 1, 0],
    [1999.9999, 2, 0],
    [1240, 1, 240_000],
  ])('of %d ms is %i s and %i µs: rounded up, and carried', (value, seconds, microseconds) => {
    const memory = encodeOption(sys.SO_RCVTIMEO, value);
    expect([memory.readBigInt64LE(0), memory.readInt32LE(8)]).toEqual([
      BigInt(seconds),
      microseconds,
    ]);
    expect(decodeOption(sys.SO_RCVTIMEO, memory)).toBe(seconds * 1000 + microseconds / 1000);
  });

  test('that is tiny still ends, and one just below a second is taken', () => {
    const { server } = pair();
    for (const value of [1e-7, 999.9996]) {
      sys.setsockopt(server, sys.SO_RCVTIMEO, value);
      expect(sys.getsockopt(server, sys.SO_RCVTIMEO)).toBeGreaterThan(0);
    }
    sys.setsockopt(server, sys.SO_RCVTIMEO, 1e-7);
    expect(sys.recv(server, Buffer.alloc(1))).toBe(sys.WOULD_BLOCK);
  });
});

test('accepted sockets have SO_KEEPALIVE and TCP_NODELAY from their listener', () => {
  const { client, server } = pair();
  for (const option of [sys.SO_KEEPALIVE, sys.TCP_NODELAY]) {
    expect(sys.getsockopt(client, option)).toBe(0);
    expect(sys.getsockopt(server, option)).not.toBe(0);
  }
});

describe.runIf(process.platform === 'linux')('unacknowledged', () => {
  test('counts what the peer has not taken, and falls as it takes it', () => {
    const { client, server } = pair();
    expect(sys.unacknowledged(server)).toBe(0);
    sys.setNonBlocking(server);
    sys.setNonBlocking(client);
    const bytes = Buffer.alloc(256 * 1024);
    while (sys.send(server, bytes) > 0);
    const before = sys.unacknowledged(server) as number;
    expect(before).toBeGreaterThan(0);
    while (sys.recv(client, bytes) > 0);
    expect(sys.unacknowledged(server)).toBeLessThan(before);
  });

  test('throws on a descriptor that is none', () => {
    expect(() => sys.unacknowledged(2 ** 30)).toThrow('ioctl EBADF');
  });
});

describe('nanosleep', () => {
  test('takes its time, fractions of a millisecond too', () => {
    const since = performance.now();
    expect(sys.nanosleep(0)).toBe(0);
    for (let i = 0; i < 10; i++) expect(sys.nanosleep(1.5)).toBe(0);
    expect(performance.now() - since).toBeGreaterThanOrEqual(15);
  });

  test('is interrupted by a signal', () => {
    const index = new URL('index.ts', import.meta.url).href;
    const program = `
      import { nanosleep } from ${JSON.stringify(index)};
      import { spawn } from 'node:child_process';
      process.on('SIGUSR2', () => {});
      // Again and again: on a busy machine the first may come before the wait begins.
      spawn('sh', ['-c', 'while sleep 0.3 && kill -USR2 ' + process.pid + '; do :; done'], { stdio: 'ignore' });
      const since = performance.now();
      const result = nanosleep(20_000);
      console.log(result, performance.now() - since < 10_000);
      process.exit();`;
    const child = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program],
      { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' },
    );
    expect(child.stdout).toBe(`${sys.INTERRUPTED} true\n`);
  });
});

describe('the processor', () => {
  test.each([
    ['x64', true],
    ['arm64', true],
    ['riscv64', true],
    ['loong64', true],
    ['ppc64', false],
    ['s390x', false],
    ['arm', false],
    ['ia32', false],
  ])('%s: supported is %s', async (arch, isSupported) => {
    const original = Object.getOwnPropertyDescriptor(process, 'arch') as PropertyDescriptor;
    Object.defineProperty(process, 'arch', { ...original, value: arch });
    vi.resetModules();
    try {
      expect((await import('./platform.ts')).isSupported).toBe(isSupported);
    } finally {
      Object.defineProperty(process, 'arch', original);
    }
  });

  test('that is not supported: a model says so in one line', () => {
    const preload =
      'data:text/javascript,Object.defineProperty(process, "arch", { value: "s390x" });';
    const child = spawnSync(
      process.execPath,
      ['--import', preload, '--import', 'tsx', 'models/poll-loop', '--port', '0'],
      { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8', timeout: 10_000 },
    );
    expect(child).toMatchObject({ status: 1, stdout: '' });
    expect(child.stderr).toMatch(/^poll-loop: [^\n]*x64[^\n]*s390x\n$/);
  });
});
