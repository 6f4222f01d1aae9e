/** The command, as a person starts it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeCommand } from '../conformance/node-command.ts';

let server: Server;
let port: string;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = String((server.address() as { port: number }).port);
});
afterEach(() => server.close());

/** Runs it with this on its standard input, until it ends or has printed the expected text. */
async function run(args: string[], input: string | Buffer = '', until?: string) {
  const [node = '', ...program] = nodeCommand('client');
  const child = spawn(node, [...program, ...args], {
    cwd: new URL('..', import.meta.url),
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes) => {
    out += bytes.toString('latin1');
    if (until && out.includes(until) && !child.killed) child.kill('SIGINT');
  });
  child.stderr.on('data', (bytes) => {
    err += bytes;
  });
  child.stdin.on('error', () => undefined); // it may end before it has read everything
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, out, err };
}

test('lines from a pipe go out with CR LF, and the echo comes back as lines', async () => {
  const seen: Buffer[] = [];
  server.on('connection', (socket: Socket) => socket.on('data', (bytes) => seen.push(bytes)));
  const result = await run(['127.0.0.1', port], 'hi\nthere\n');
  expect(result).toEqual({ code: 0, out: 'hi\nthere\n', err: '' });
  expect(Buffer.concat(seen).toString()).toBe('hi\r\nthere\r\n');
});

test('--eol lf and --byte-by-byte', async () => {
  const result = await run(['--eol', 'lf', '--byte-by-byte', 'localhost', port], 'unix\n');
  expect(result).toEqual({ code: 0, out: 'unix\n', err: '' });
});

test('100,000 lines come back whole', async () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `${i}\n`).join('');
  expect((await run(['127.0.0.1', port], lines)).out).toBe(lines);
});

test('a pipe carries bytes: what is no text, a last line without an end, CR LF as it is', async () => {
  const { code, out } = await run(['127.0.0.1', port], Buffer.from('ff00fe0d0a0d410a42', 'hex'));
  expect({ code, out }).toEqual({ code: 0, out: '\xff\x00\xfe\n\rA\nB\n' });
});

test('a server that closes before everything came back is a failure', async () => {
  server.on('connection', (socket: Socket) => socket.unpipe().end('one\r\n'));
  const { code, out, err } = await run(['127.0.0.1', port], 'one\ntwo\n');
  expect({ code, out }).toEqual({ code: 1, out: 'one\n' });
  expect(err).toMatch(/^client: the server (closed|reset) the connection[^\n]*\n$/);
});

test.skipIf(process.platform === 'win32')(
  'a reader that leaves is no reason for a stack',
  async () => {
    const command = `"$@" 127.0.0.1 ${port} | head -1`;
    const child = spawn('sh', ['-c', command, 'sh', ...nodeCommand('client')], {
      cwd: new URL('..', import.meta.url),
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (bytes) => {
      out += bytes;
    });
    child.stderr.on('data', (bytes) => {
      err += bytes;
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end('a line\n'.repeat(100_000));
    await once(child, 'close');
    expect({ out, err }).toEqual({ out: 'a line\n', err: '' });
  },
);

test('bad manners on demand', async () => {
  const partial = await run(['--hold-partial', '127.0.0.1', port], '', 'holding');
  expect(partial).toMatchObject({ code: 130, err: '' });
  const never = await run(['--never-read', '127.0.0.1', port], '', 'backpressure');
  expect(never).toMatchObject({ code: 130, err: '' });
  expect(never.out).not.toContain('ended');
  const flood = await run(['--flood', '127.0.0.1', port], '', 'echoed');
  expect(flood).toMatchObject({ code: 130, err: '' });
  expect(await run(['--reset', '127.0.0.1', port])).toMatchObject({ code: 0, err: '' });
});

test('what is wrong is said in one line', async () => {
  server.close();
  const refused = await run(['127.0.0.1', port], 'hi\n');
  expect(refused).toMatchObject({ code: 1, out: '' });
  const unknown = await run(['no-such-host.invalid'], 'hi\n');
  expect(unknown).toMatchObject({ code: 1, out: '' });
  expect(unknown.err).toMatch(/^client: [^\n]*no-such-host.invalid\n$/);
  expect(refused.err).toMatch(/^client: [^\n]*ECONNREFUSED[^\n]*npx tsx models\/poll-loop\)\n$/);
  for (const wrong of [
    ['--nonsense'],
    ['host', 'port'],
    ['a', '1', 'b'],
    ['--eol', 'cr'],
    ['--reset', '--flood'],
  ]) {
    const { code, out, err } = await run(wrong);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^client: [^\n]+; see --help\n$/);
  }
});
