/** Every program of the tour, run as a reader would run it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { nodeCommand } from '../conformance/node-command.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = new URL('examples/', import.meta.url);

/** Starts an example; it is killed when it takes too long. */
function start(name: string, ...args: string[]) {
  const [node = '', ...program] = nodeCommand(`sockets/examples/${name}`);
  const child = spawn(node, [...program, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { lines, reader, ended: once(child, 'close').then(([code]) => code) };
}

/** What each prints. */
const outputs: Record<string, string[]> = {
  'dual-stack.ts': [
    'one socket, on ::',
    '  a client of 127.0.0.1 is seen as ::ffff:127.0.0.1',
    '  a client of ::1 is seen as ::1',
    'two sockets on the same port, one on 0.0.0.0 and one on :: with IPV6_V6ONLY',
    '  a client of 127.0.0.1 is seen as 127.0.0.1',
    '  a client of ::1 is seen as ::1',
  ],
  'errors.ts': [
    'bind EADDRINUSE        the port is in use by another server',
    'bind EADDRNOTAVAIL     not an address of this machine',
    'getpeername ENOTCONN   no connection yet',
    'connect ECONNREFUSED   nobody listens there',
    'connect ENETUNREACH    no route: TCP cannot reach it from here',
    'WOULD_BLOCK (EAGAIN)   nothing to receive now; poll says when',
    'recv ECONNRESET        the other end has reset the connection',
    'send EPIPE             broken pipe: we send, and the connection is gone',
    'recv EBADF             not an open descriptor: it was closed already',
  ],
  'half-close.ts': [
    'the server receives 10 bytes',
    "the server receives 0: the client's FIN",
    'the client still receives 10 bytes',
    "the client receives 0: the server's FIN",
  ],
  'nonblocking-connect.ts': [
    'somebody listens: connect returned at once, SO_ERROR 0: connected',
    'nobody listens:   connect returned at once, SO_ERROR ECONNREFUSED',
  ],
  'partial-send.ts': [
    'send took a part of 64 MiB',
    'the next send: WOULD_BLOCK',
    'after the other end had read, the rest went: 64 MiB arrived',
  ],
  'poll-timeout.ts': [
    'nobody has sent: 0 ready after 50 ms',
    'one has sent:    1 ready, entry 1',
    'asked again:     1 ready, entry 1',
    'received:        0 ready',
  ],
  'reset.ts': [
    'the other end closed with SO_LINGER 0: recv ECONNRESET',
    'the other end closed with unread input: recv ECONNRESET',
    'the other end closed with nothing unread: recv returns 0',
  ],
  'socket-options.ts': [
    'TCP_NODELAY (send small pieces at once): 0, set to 1, is 1',
    'SO_KEEPALIVE (probe a silent peer): 0, set to 1, is 1',
    'SO_REUSEADDR (take a port in TIME_WAIT): 0, set to 1, is 1',
    'SO_RCVTIMEO (milliseconds a recv waits): 0, set to 100, is 100',
    'SO_SNDBUF (bytes; Linux doubles it): #, set to 20000, is 40000',
    'SO_LINGER (0: close sends a reset): -1, set to 0, is 0',
  ],
  'udp-echo.ts': ['3 bytes came back: "one"', '3 bytes came back: "two"', '0 bytes came back: ""'],
};

/** They need each other. */
const together = ['tcp-client.ts', 'tcp-server.ts'];
const helpers = ['connected-pair.ts'];

describe.concurrent('the examples', () => {
  test.each(Object.entries(outputs))('%s', async (name, expected) => {
    const example = start(name);
    expect(await example.ended).toBe(0);
    // How large a buffer is at first differs between systems.
    const said = example.lines.map((line) => line.replace(/(SO_SNDBUF.*?: )\d+/, '$1#'));
    expect(said).toEqual(expected);
  });

  test('tcp-server.ts and tcp-client.ts', async () => {
    const server = start('tcp-server.ts', '0');
    await once(server.reader, 'line');
    const [, port = ''] = /port (\d+)$/.exec(`${server.lines[0]}`) ?? [];
    const client = start('tcp-client.ts', port);
    expect(await Promise.all([client.ended, server.ended])).toEqual([0, 0]);
    expect(client.lines).toEqual(['came back: "hello, sockets\\r\\n"']);
    expect(server.lines.slice(1)).toEqual(['serving 127.0.0.1', 'echoed 16 bytes']);
  });

  test('are all here', () => {
    const known = [...Object.keys(outputs), ...together, ...helpers].sort();
    expect(readdirSync(folder).sort()).toEqual(known);
  });
});
