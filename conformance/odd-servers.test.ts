/** Right servers in unusual clothes, and wrong ones that wear the suite out: none may mislead it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeCommand } from './node-command.ts';
import { Progress } from './reports/progress.ts';
import { ServerProcess } from './server-process.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'conformance-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A right server in a few lines; `echo` serves a socket. */
const ECHO = `
  const net = require('net');
  const port = Number(process.env.PORT);
  const options = { allowHalfOpen: true, noDelay: true };
  function echo(socket) {
    let kept = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      kept = Buffer.concat([kept, bytes]);
      const end = kept.lastIndexOf('\\r\\n') + 2;
      if (end > 1) socket.write(kept.subarray(0, end));
      if (end > 1) kept = kept.subarray(end);
    });
    socket.on('end', () => socket.end());
  }`;

const node = (script: string) => [process.execPath, '-e', ECHO + script];
const quoted = (words: readonly string[]) =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');

const PLAIN = `net.createServer(options, echo).listen(port, '127.0.0.1');`;

const suite = nodeCommand('conformance');

function launch(args: readonly string[]): ChildProcess {
  const [node = '', ...program] = suite;
  return spawn(node, [...program, ...args], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, NO_COLOR: '1' },
  });
}

async function outcome(child: ChildProcess) {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, out, err };
}

const conformance = (...args: readonly string[]) => outcome(launch(args));

/** A port that was free a moment ago, and that the kernel gives to nobody of its own accord. */
async function freePort(): Promise<string> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return String(port);
  }
}

function isOpen(port: string, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(port), host });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

const FEW = ['--only', 'framing/one-line', '--only', 'resets/mid-line'];
const CPU = ['--only', 'measures/rest-after-clients-have-left', '--only', 'concurrency/leaves-*'];

describe('readiness: whose socket listens', () => {
  test.each([
    ['a launcher that ends', ['sh', '-c', `${quoted(node(PLAIN))} & exit`]],
    [
      'a daemon in a session of its own',
      node(`
        const { spawn } = require('child_process');
        const script = ${JSON.stringify(ECHO + PLAIN)};
        spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' }).unref();
        setTimeout(() => process.exit(0), 300);`),
    ],
    [
      'a daemon that has cleaned its environment',
      node(`
        const { spawn } = require('child_process');
        const script = ${JSON.stringify(ECHO + PLAIN)};
        const env = { PORT: process.env.PORT };
        spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore', env }).unref();
        process.exit(0);`),
    ],
    ['a wrapper that waits', ['sh', '-c', `${quoted(node(PLAIN))}; true`]],
  ])('%s is judged, looked at, and ended', async (_, command) => {
    const port = await freePort();
    const { code, out } = await conformance(...FEW, ...CPU, '--port', port, '--', ...command);
    expect(out).toMatch(/fulfils 1 of \d+ must-checks/);
    expect(out).not.toMatch(/cannot be told|failed|not run/);
    expect(code).toBe(0);
    expect(await isOpen(port)).toBe(false);
  });

  test('the descriptors of the server count, not those of its wrapper', async () => {
    const leaks = `const fs = require('fs');
      net.createServer(options, (s) => { fs.openSync('/dev/null'); echo(s); }).listen(port, '127.0.0.1');`;
    const daemon = node(`
      const { spawn } = require('child_process');
      const script = ${JSON.stringify(ECHO + leaks)};
      spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' }).unref();
      setInterval(() => {}, 1000);`);
    const { out } = await conformance(
      ...['--only', 'framing/one-line', '--only', 'concurrency/leaves-no-descriptors'],
      ...['--port', await freePort(), '--', ...daemon],
    );
    expect(out).toContain('✗ concurrency/leaves-no-descriptors failed');
  });

  test('::1 only', async () => {
    const port = await freePort();
    const script = node(`net.createServer(options, echo).listen(port, '::1');`);
    const { code, out } = await conformance(...FEW, '--port', port, '--', ...script);
    expect(code, out).toBe(0);
    expect(out).toMatch(/fulfils 1 of/);
  });

  test(':: without IPv4', async () => {
    const port = await freePort();
    const script = node(
      `net.createServer(options, echo).listen({ port, host: '::', ipv6Only: true });`,
    );
    const { code, out } = await conformance(...FEW, '--port', port, '--', ...script);
    expect(code, out).toBe(0);
  });

  test('::1 before 127.0.0.1', async () => {
    const port = await freePort();
    const script = node(`net.createServer(options, echo).listen(port, '::1');
      setTimeout(() => net.createServer(options, echo).listen(port, '127.0.0.1'), 50);`);
    const { code, out } = await conformance(
      ...[...FEW, '--only', 'concurrency/both-families', '--level', 'should'],
      ...['--port', port, '--', ...script],
    );
    expect(code, out).toBe(0);
  });

  test('two suites on one port: neither takes the other’s server for its own', async () => {
    const port = await freePort();
    const args = ['--only', 'resets/*', '--only', 'framing/*', '--port', port, '--'];
    const both = [launch([...args, ...node(PLAIN)]), launch([...args, ...node(PLAIN)])];
    const [one, other] = await Promise.all(both.map(outcome));
    const codes = [one?.code, other?.code].sort();
    // One is served; or both were too early, and neither.
    expect(codes[1], `${one?.out}${one?.err}${other?.out}${other?.err}`).toBe(2);
    expect(`${one?.err}${other?.err}`).toMatch(/listens on port/);
    expect(`${one?.out}${other?.out}`).not.toContain('failed');
  });

  test('--connect localhost: the address that answers is used', async () => {
    const server = await ServerProcess.start('conformance/mutants/ipv4-only.ts');
    const { code, out, err } = await conformance(
      ...[...FEW, '--connect', `localhost:${server.port}`],
    );
    await server.stop();
    expect(code, out + err).toBe(0);
  });
});

describe.concurrent('servers that wear the suite out', () => {
  test('a flood after the FIN is a failure, and costs seconds', { timeout: 60_000 }, async () => {
    const floods = node(`net.createServer(options, (socket) => {
      echo(socket);
      socket.removeAllListeners('end');
      const pour = () => { while (socket.writable && socket.write(Buffer.alloc(65536, 'x'))); };
      socket.on('end', () => { pour(); socket.on('drain', pour); });
    }).listen(port, '127.0.0.1');`);
    const startedAt = performance.now();
    const { code, out } = await conformance(
      ...['--only', 'framing/one-line', '--only', 'half-close/*', '--level', 'should'],
      ...['--port', await freePort(), '--', ...floods],
    );
    expect(code, out).toBe(1);
    expect(out).not.toContain('too slow to tell');
    expect(out).toContain('✗ half-close/nothing-sent failed');
    expect(performance.now() - startedAt).toBeLessThan(25_000);
  });

  test('a backlog of 5, and 3 ms for each client that comes', { timeout: 120_000 }, async () => {
    const slow = node(`const pause = new Int32Array(new SharedArrayBuffer(4));
      net.createServer(options, (socket) => {
        Atomics.wait(pause, 0, 0, 3);
        echo(socket);
      }).listen({ port, host: '127.0.0.1', backlog: 5 });`);
    const { out } = await conformance(
      ...['--only', 'framing/one-line', '--only', 'concurrency/thousand-open'],
      ...['--only', 'concurrency/hundreds-of-short-ones'],
      ...['--port', await freePort(), '--', ...slow],
    );
    expect(out).not.toContain('Infinity');
    expect(out).toMatch(/3 passed\n/);
  });

  test('a chatty one makes no large report', async () => {
    const report = path.join(directory, 'chatty.xml');
    const chatty =
      node(`process.stdout.write('y'.repeat(262144) + '\\n'.repeat(1000) + 'z'.repeat(262144));
      setTimeout(() => process.exit(3), 300);`);
    const { code } = await conformance(
      ...['--report', `junit=${report}`, '--port', await freePort(), '--', ...chatty],
    );
    expect(code).toBe(1);
    expect(readFileSync(report).length).toBeLessThan(200_000); // it was 23 MB
  });

  test('few descriptors of our own are no failure of anybody', async () => {
    const port = await freePort();
    const command = quoted([
      ...[...suite, '--port', port],
      ...['--only', 'framing/one-line', '--only', 'concurrency/thousand-open'],
      ...['--only', 'concurrency/second-*', '--', ...node(PLAIN)],
    ]);
    const child = spawn('sh', ['-c', `ulimit -n 400; exec ${command}`], {
      cwd: new URL('..', import.meta.url),
      env: { ...process.env, NO_COLOR: '1' },
    });
    const { code, out } = await outcome(child);
    expect(out).toMatch(/\? concurrency\/thousand-open cannot be told here: .*EMFILE/);
    expect(code).toBe(0);
  });
});

describe.concurrent('line ends: a server that answers LF is told so, and judged by that', () => {
  const only = [
    '--only',
    'framing/*',
    '--only',
    'half-close/answers*',
    '--skip',
    'framing/random*',
  ];
  const listens = `).listen(port, '127.0.0.1');`;
  const lines = (eol: string, answer: string) => `net.createServer(options, (socket) => {
      let kept = '';
      socket.setEncoding('latin1').on('error', () => {});
      socket.on('data', (text) => {
        const lines = (kept + text).split(${eol});
        kept = lines.pop();
        for (const line of lines) socket.write(${answer}, 'latin1');
      });
      socket.on('end', () => socket.end());
    }${listens}`;

  test.each([
    ['CR LF in, LF out', lines(`'\\r\\n'`, `line + '\\n'`), 'answers end in LF', 0],
    [
      'LF in, a CR stripped, LF out',
      lines(`'\\n'`, `line.replace(/\\r$/, '') + '\\n'`),
      'answers end in LF',
      1,
    ],
  ])('%s', async (_, script, what, shoulds) => {
    const { code, out } = await conformance(
      ...[...only, '--port', await freePort(), '--', ...node(script)],
    );
    expect(code).toBe(1);
    const others = shoulds > 0 ? `; ${shoulds} should-check failed` : '';
    expect(out).toContain(`does not: ${what}; judged by that, it would fulfil the rest${others}\n`);
    expect(out).toContain('✗ framing/one-line failed');
    expect(out).not.toContain('not run');
  });

  test('LF only', async () => {
    const script = lines(`'\\n'`, `line.replaceAll('\\r', '?') + '\\n'`);
    const { out } = await conformance(
      ...[...only, '--port', await freePort(), '--', ...node(script)],
    );
    expect(out).toContain(
      'does not: it takes LF for CR LF, and answers end in LF; judged by that, it would fulfil the rest',
    );
  });

  test('one that has other defects as well', async () => {
    const script = lines(`'\\n'`, `line.trim() + '\\n'`);
    const { out } = await conformance(
      ...[...only, '--port', await freePort(), '--', ...node(script)],
    );
    expect(out).toMatch(
      /does not: answers end in LF; judged by that, 1 of the other \d+ must-checks failed/,
    );
  });
});

describe('the server ends with the suite', () => {
  test.each(['SIGKILL', 'SIGINT'] as const)('%s', async (signal) => {
    const port = await freePort();
    const daemon = node(`
      const { spawn } = require('child_process');
      const script = ${JSON.stringify(ECHO + PLAIN)};
      spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' });`);
    const child = launch(['--port', port, '--', ...daemon]);
    child.stdout?.setEncoding('utf8');
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (text) => text.includes('framing/one-line') && resolve());
    });
    expect(await isOpen(port)).toBe(true);
    child.kill(signal);
    await outcome(child);
    await expect.poll(() => isOpen(port)).toBe(false);
  });

  test('Ctrl-C ends the wait for a server that does not come', async () => {
    const port = await freePort();
    const startedAt = performance.now();
    const child = launch(['--ready-timeout', '60', '--port', port, '--', 'sleep', '100']);
    child.stdout?.once('data', () => setTimeout(() => child.kill('SIGINT'), 200));
    const { code } = await outcome(child);
    expect(code).toBe(130);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});

test('`again` repeats the options that matter', async () => {
  const { out } = await conformance(
    ...['--ready-timeout', '20', '--slow-factor', '0.5', '--only', 'framing/one-line'],
    ...['--port', await freePort(), '--'],
    ...node(`net.createServer((s) => s.write('hi')).listen(port, '127.0.0.1')`),
  );
  expect(out).toMatch(
    /again {4}npx tsx conformance --port \d+ --ready-timeout 20 --slow-factor 0\.5 --only framing\/one-line -- /,
  );
});

test('the line of progress never wraps', () => {
  let written = '';
  const stream = { isTTY: true, columns: 20, write: (text: string) => (written += text) };
  new Progress(stream as unknown as NodeJS.WriteStream).show('12/42 framing/many-lines-in-order');
  expect(written).toBe('\r\x1b[K  … 12/42 framing/m');
});

test('a command gets no input', async () => {
  // Such as reads it would wait for it otherwise.
  const script = node(`process.stdin.on('end', () => { ${PLAIN} }).resume();`);
  const { code, out } = await conformance(...FEW, '--port', await freePort(), '--', ...script);
  expect(code, out).toBe(0);
  expect((await conformance('--help')).out).toContain('/dev/null');
});
