/** The calls, over real sockets on the loopback interface. */
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { decodeAddress, encodeAddress } from './address.ts';
import * as sys from './index.ts';

const { AF_INET, AF_INET6, POLLHUP, POLLIN, POLLNVAL, POLLOUT, SOCK_DGRAM, WOULD_BLOCK } = sys;

/** A descriptor that no process has. */
const NO_SUCH_FD = 2 ** 30;

const open = new Set<number>();

/** Has the descriptor closed at the end of the test, unless the test does so itself. */
function keep(fd: number): number {
  expect(fd).toBeGreaterThanOrEqual(0);
  open.add(fd);
  return fd;
}

function close(fd: number): void {
  open.delete(fd);
  sys.close(fd);
}

afterEach(() => {
  for (const fd of open) close(fd);
});

function listener(address = '127.0.0.1') {
  const found = sys.openListener({ address, port: 0 }, 16, true);
  keep(found.fd);
  return found;
}

/** Two connected TCP sockets. */
function pair(address = '127.0.0.1') {
  const { fd, at } = listener(address);
  const client = keep(sys.socket(sys.familyOf(address)));
  expect(sys.connect(client, at)).toBe(0);
  return { listener: fd, at, client, server: keep(sys.accept(fd)) };
}

/** The flags of a descriptor, octal in /proc. */
function flagsOf(fd: number): number {
  const [, flags] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  return Number.parseInt(flags as string, 8);
}

/** Waits until one descriptor is ready. */
function wait(fd: number, events: number): number {
  const table = new sys.PollTable(1);
  table.add(fd, events);
  return table.poll(5000) > 0 ? table.revents(0) : 0;
}

/** The error that a call throws, as a plain object. */
function errorOf(call: () => unknown): object {
  try {
    call();
  } catch (error) {
    const { name, message, code, errno, syscall, address, port } = error as sys.SocketError;
    return { name, message, code, errno, syscall, address, port };
  }
  throw new Error('nothing was thrown');
}

describe('addresses', () => {
  test.each([
    ['127.0.0.1', 0],
    ['0.0.0.0', 1],
    ['255.254.253.252', 65535],
    ['::', 12321],
    ['::1', 258],
    ['2001:db8::ff00:42:8329', 443],
    ['::ffff:192.0.2.1', 80],
  ])('%s port %i survives the way to memory and back', (address, port) => {
    expect(decodeAddress(encodeAddress({ address, port }))).toEqual({ address, port });
  });

  test('a zone index survives, too', () => {
    const address = { address: 'fe80::1%7', port: 1 };
    expect(decodeAddress(encodeAddress(address))).toEqual(address);
  });

  test('another family is nobody', () => {
    const unix = Buffer.alloc(28);
    unix.set(encodeAddress({ address: '::1', port: 1 }));
    unix.fill(1, 0, 2);
    expect(decodeAddress(unix)).toBeUndefined();
  });

  test('names and impossible ports are refused', () => {
    expect(() => sys.familyOf('localhost')).toThrow(TypeError);
    expect(() => encodeAddress({ address: '', port: 1 })).toThrow(TypeError);
    for (const port of [-1, 65536, 1.5, Number.NaN]) {
      expect(() => encodeAddress({ address: '::1', port })).toThrow(RangeError);
    }
  });
});

describe.each(['127.0.0.1', '::1'])('a connection on %s', (address) => {
  test('bind with port 0, getsockname, getpeername', () => {
    const family = address === '::1' ? AF_INET6 : AF_INET;
    expect(sys.familyOf(address)).toBe(family);
    const fd = keep(sys.socket(family));
    sys.bind(fd, { address, port: 0 });
    const at = sys.getsockname(fd);
    expect(at.address).toBe(address);
    expect(at.port).toBeGreaterThan(0);
    sys.listen(fd, 1);
    const client = keep(sys.socket(family));
    expect(sys.connect(client, at)).toBe(0);
    const server = keep(sys.accept(fd));
    expect(sys.getpeername(client)).toEqual(at);
    expect(sys.getpeername(server)).toEqual(sys.getsockname(client));
    expect(sys.peerOf(server)).toEqual(sys.getsockname(client));
  });

  test('bytes there and back, then end of input, in one direction at a time', () => {
    const { client, server } = pair(address);
    const bytes = Buffer.from('to be sent: "hello"');
    expect(sys.send(client, bytes, 13, 5)).toBe(5);
    const room = Buffer.alloc(16, '.');
    expect(sys.recv(server, room, 3, 10)).toBe(5);
    expect(room.toString()).toBe('...hello........');
    sys.shutdown(client, sys.SHUT_WR);
    expect(sys.recv(server, room)).toBe(0);
    expect(sys.recv(server, room)).toBe(0);
    expect(sys.send(server, bytes)).toBe(bytes.length);
    close(server);
    const all = Buffer.alloc(100);
    expect(sys.recv(client, all)).toBe(bytes.length);
    expect(all.subarray(0, bytes.length)).toEqual(bytes);
    expect(sys.recv(client, all)).toBe(0);
  });
});

test('peek leaves what is there, does not wait, and sees a FIN and a reset', () => {
  const { client, server } = pair();
  const one = Buffer.alloc(1);
  expect(sys.peek(server, one)).toBe(WOULD_BLOCK);
  sys.send(client, Buffer.from('ab'));
  sys.shutdown(client, sys.SHUT_WR);
  expect([sys.peek(server, one), String(one), sys.peek(server, one)]).toEqual([1, 'a', 1]);
  expect(sys.recv(server, Buffer.alloc(9))).toBe(2);
  expect(sys.peek(server, one)).toBe(0);
  const other = pair();
  sys.setsockopt(other.client, sys.SO_LINGER, 0);
  close(other.client);
  expect(() => sys.peek(other.server, one)).toThrow(/ECONNRESET/);
});

describe('ranges', () => {
  test('outside a buffer they are refused, before anything is sent or received', () => {
    const { client, server } = pair();
    const buffer = Buffer.alloc(8);
    const outside = [
      [-1, 1],
      [0, 9],
      [8, 1],
      [9, 0],
      [4, -1],
      [Number.NaN, 1],
      [0, Number.NaN],
      [Number.POSITIVE_INFINITY, 1],
      [0, Number.POSITIVE_INFINITY],
    ] as const;
    for (const [offset, length] of outside) {
      expect(() => sys.send(client, buffer, offset, length)).toThrow(RangeError);
      expect(() => sys.recv(server, buffer, offset, length)).toThrow(RangeError);
    }
    expect(() => sys.recv(server, buffer, 9)).toThrow(RangeError);
    sys.setNonBlocking(server);
    expect(sys.recv(server, buffer)).toBe(WOULD_BLOCK);
  });

  test('up to the last byte they are fine, and another buffer is another address', () => {
    const { client, server } = pair();
    const [first, second] = [Buffer.from('12345678'), Buffer.from('abcdefgh')];
    expect(sys.send(client, first, 7)).toBe(1);
    expect(sys.send(client, second, 7)).toBe(1);
    expect(sys.send(client, first.subarray(2, 4))).toBe(2);
    expect(sys.send(client, first, 8)).toBe(0);
    const [one, other] = [Buffer.alloc(2), Buffer.alloc(2)];
    expect(sys.recv(server, one)).toBe(2);
    expect(sys.recv(server, other)).toBe(2);
    expect(`${one}, ${other}`).toBe('8h, 34');
  });
});

describe('waiting', () => {
  test('a non-blocking call says WOULD_BLOCK, and waits again when told to', () => {
    const { listener, client, server } = pair();
    for (const fd of [listener, server, client]) sys.setNonBlocking(fd);
    expect(sys.accept(listener)).toBe(WOULD_BLOCK);
    const room = Buffer.alloc(64 * 1024);
    expect(sys.recv(server, room)).toBe(WOULD_BLOCK);
    let sent = 0;
    for (let took = 0; took !== WOULD_BLOCK; took = sys.send(client, room)) sent += took;
    expect(sent).toBeGreaterThan(room.length);
    sys.setNonBlocking(server, false);
    for (let got = 0; got < sent; got += sys.recv(server, room)) expect(got).toBeLessThan(sent);
  });

  test('connect on a non-blocking socket: WOULD_BLOCK, then POLLOUT, then SO_ERROR', () => {
    const { fd, at } = listener();
    const client = keep(sys.socket(AF_INET));
    sys.setNonBlocking(client);
    expect(sys.connect(client, at)).toBe(WOULD_BLOCK);
    expect(wait(client, POLLOUT)).toBe(POLLOUT);
    expect(sys.getsockopt(client, sys.SO_ERROR)).toBe(0);
    keep(sys.accept(fd));
    close(fd);
    const refused = keep(sys.socket(AF_INET));
    sys.setNonBlocking(refused);
    expect(sys.connect(refused, at)).toBe(WOULD_BLOCK);
    wait(refused, POLLOUT);
    expect(sys.getsockopt(refused, sys.SO_ERROR)).toBe(os.constants.errno.ECONNREFUSED);
  });

  test('SO_RCVTIMEO and SO_SNDTIMEO bound a wait', () => {
    const { listener, client, server } = pair();
    for (const fd of [listener, server]) sys.setsockopt(fd, sys.SO_RCVTIMEO, 20);
    sys.setsockopt(client, sys.SO_SNDTIMEO, 20);
    const since = performance.now();
    expect(sys.accept(listener)).toBe(WOULD_BLOCK);
    expect(sys.recv(server, Buffer.alloc(1))).toBe(WOULD_BLOCK);
    expect(performance.now() - since).toBeGreaterThan(30);
    const much = Buffer.alloc(1024 * 1024);
    // A send that took something before its time was up tells how much; the next has no room at all.
    let sent = 0;
    while (sent >= 0 && sent < 256) sent = sys.send(client, much) < 0 ? WOULD_BLOCK : sent + 1;
    expect(sent).toBe(WOULD_BLOCK);
  });
});

describe('options', () => {
  test.each([
    ['SO_REUSEADDR', sys.SO_REUSEADDR],
    ['SO_REUSEPORT', sys.SO_REUSEPORT],
    ['SO_KEEPALIVE', sys.SO_KEEPALIVE],
    ['TCP_NODELAY', sys.TCP_NODELAY],
  ])('%s, a switch, is on and off', (_name, option) => {
    const fd = keep(sys.socket(AF_INET));
    sys.setsockopt(fd, option, 1);
    expect(sys.getsockopt(fd, option)).not.toBe(0); // some systems read back another number
    sys.setsockopt(fd, option, 0);
    expect(sys.getsockopt(fd, option)).toBe(0);
  });

  // What the kernel's clock can tell apart: it may count in steps of 10 milliseconds.
  test.each([0, 20, 1000, 1240, 90_500])('a timeout of %i ms is what one reads back', (value) => {
    const fd = keep(sys.socket(AF_INET));
    for (const option of [sys.SO_RCVTIMEO, sys.SO_SNDTIMEO]) {
      sys.setsockopt(fd, option, value);
      expect(sys.getsockopt(fd, option)).toBe(value);
    }
  });

  test.each([-1, 0, 5])('SO_LINGER %i is what one reads back', (value) => {
    const fd = keep(sys.socket(AF_INET));
    sys.setsockopt(fd, sys.SO_LINGER, value);
    expect(sys.getsockopt(fd, sys.SO_LINGER)).toBe(value);
  });

  test('buffer sizes are at least what was asked for', () => {
    const fd = keep(sys.socket(AF_INET));
    for (const option of [sys.SO_RCVBUF, sys.SO_SNDBUF]) {
      sys.setsockopt(fd, option, 16_384);
      expect(sys.getsockopt(fd, option)).toBeGreaterThanOrEqual(16_384);
    }
  });

  test('linger 0 makes close a reset', () => {
    const { client, server } = pair();
    sys.setsockopt(client, sys.SO_LINGER, 0);
    close(client);
    expect(errorOf(() => sys.recv(server, Buffer.alloc(1)))).toMatchObject({ code: 'ECONNRESET' });
  });

  // Free on IPv6 does not mean free on IPv4. Below 32,768 no connection gets its port by chance.
  test('IPV6_V6ONLY decides who has the IPv4 port', { retry: 3 }, () => {
    const port = 20_000 + Math.floor(10_000 * Math.random());
    const alone = keep(sys.openListener({ address: '::', port }, 1, true).fd);
    expect(sys.getsockopt(alone, sys.IPV6_V6ONLY)).toBe(1);
    keep(sys.openListener({ address: '0.0.0.0', port }, 1, true).fd);
    const dual = keep(sys.openListener({ address: '::', port: 0 }, 1, false).fd);
    const client = keep(sys.socket(AF_INET));
    expect(sys.connect(client, { address: '127.0.0.1', port: sys.getsockname(dual).port })).toBe(0);
    expect(sys.getpeername(keep(sys.accept(dual))).address).toBe('::ffff:127.0.0.1');
  });
});

describe('datagrams', () => {
  test.each(['127.0.0.1', '::1'])('sendto and recvfrom on %s', (address) => {
    const [one, other] = [0, 1].map(() => {
      const fd = keep(sys.socket(sys.familyOf(address), SOCK_DGRAM));
      sys.bind(fd, { address, port: 0 });
      return { fd, at: sys.getsockname(fd) };
    }) as [{ fd: number; at: sys.SocketAddress }, { fd: number; at: sys.SocketAddress }];
    expect(sys.sendto(one.fd, Buffer.from('a datagram'), other.at)).toBe(10);
    expect(sys.sendto(one.fd, Buffer.alloc(0), other.at)).toBe(0);
    const room = Buffer.alloc(5);
    expect(sys.recvfrom(other.fd, room)).toEqual({ length: 5, from: one.at });
    expect(room.toString()).toBe('a dat');
    expect(sys.recvfrom(other.fd, room)).toEqual({ length: 0, from: one.at });
    sys.setNonBlocking(other.fd);
    expect(sys.recvfrom(other.fd, room)).toBe(WOULD_BLOCK);
  });
});

describe('errors', () => {
  test('look as those of Node do', () => {
    const { at } = listener();
    const second = keep(sys.socket(AF_INET));
    expect(errorOf(() => sys.bind(second, at))).toEqual({
      name: 'SocketError',
      message: `bind EADDRINUSE 127.0.0.1:${at.port}`,
      code: 'EADDRINUSE',
      errno: -os.constants.errno.EADDRINUSE,
      syscall: 'bind',
      address: '127.0.0.1',
      port: at.port,
    });
    expect(errorOf(() => sys.bind(second, { address: '192.0.2.1', port: 0 }))).toMatchObject({
      message: 'bind EADDRNOTAVAIL 192.0.2.1:0',
    });
  });

  test('a connection that is refused names the address', () => {
    const { fd, at } = listener();
    close(fd);
    const client = keep(sys.socket(AF_INET));
    expect(errorOf(() => sys.connect(client, at))).toMatchObject({
      message: `connect ECONNREFUSED 127.0.0.1:${at.port}`,
      syscall: 'connect',
      address: '127.0.0.1',
      port: at.port,
    });
  });

  test('every call on a descriptor that is none throws EBADF under its own name', () => {
    const buffer = Buffer.alloc(4);
    const to = { address: '127.0.0.1', port: 9 };
    const calls: Record<string, () => unknown> = {
      bind: () => sys.bind(NO_SUCH_FD, to),
      listen: () => sys.listen(NO_SUCH_FD, 1),
      accept: () => sys.accept(NO_SUCH_FD),
      connect: () => sys.connect(NO_SUCH_FD, to),
      recv: () => sys.recv(NO_SUCH_FD, buffer),
      send: () => sys.send(NO_SUCH_FD, buffer),
      recvfrom: () => sys.recvfrom(NO_SUCH_FD, buffer),
      sendto: () => sys.sendto(NO_SUCH_FD, buffer, to),
      shutdown: () => sys.shutdown(NO_SUCH_FD, sys.SHUT_WR),
      close: () => sys.close(NO_SUCH_FD),
      setsockopt: () => sys.setsockopt(NO_SUCH_FD, sys.SO_REUSEADDR, 1),
      getsockopt: () => sys.getsockopt(NO_SUCH_FD, sys.SO_REUSEADDR),
      getsockname: () => sys.getsockname(NO_SUCH_FD),
      getpeername: () => sys.getpeername(NO_SUCH_FD),
      fcntl: () => sys.setNonBlocking(NO_SUCH_FD),
    };
    for (const [syscall, call] of Object.entries(calls)) {
      expect(errorOf(call)).toMatchObject({
        code: 'EBADF',
        errno: -os.constants.errno.EBADF,
        syscall,
      });
    }
    expect(sys.peerOf(NO_SUCH_FD)).toBeUndefined();
  });

  test('who has no peer: ENOTCONN, and peerOf finds nobody', () => {
    const { fd } = listener();
    expect(errorOf(() => sys.getpeername(fd))).toMatchObject({ code: 'ENOTCONN' });
    expect(sys.peerOf(fd)).toBeUndefined();
  });

  test('sending to a peer that is gone throws, and no signal ends the process', () => {
    const { client, server } = pair();
    close(server);
    const bytes = Buffer.from('x');
    const send = () => {
      for (let i = 0; i < 100; i++) sys.send(client, bytes);
    };
    expect(errorOf(send)).toMatchObject({ code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) });
  });
});

describe('PollTable', () => {
  test('tells who has input, who has room, and who has neither', () => {
    const { listener, client, server } = pair();
    const table = new sys.PollTable();
    expect([listener, client, server].map((fd) => table.add(fd, POLLIN))).toEqual([0, 1, 2]);
    expect(table.length).toBe(3);
    expect(table.poll(0)).toBe(0);
    sys.send(client, Buffer.from('x'));
    expect(table.poll(5000)).toBe(1);
    expect([0, 1, 2].map((i) => table.revents(i))).toEqual([0, 0, POLLIN]);
    table.setEvents(1, POLLIN | POLLOUT);
    expect(table.events(1)).toBe(POLLIN | POLLOUT);
    expect(table.poll(5000)).toBe(2);
    expect([0, 1, 2].map((i) => table.revents(i))).toEqual([0, POLLOUT, POLLIN]);
    table.setEvents(1, 0);
    table.setEvents(2, 0);
    expect(table.poll(0)).toBe(0);
  });

  test('reports a hang-up unasked, and a descriptor that is none', () => {
    const { client, server } = pair();
    sys.shutdown(server, sys.SHUT_WR);
    sys.shutdown(client, sys.SHUT_WR);
    const table = new sys.PollTable();
    table.add(server, 0);
    table.add(NO_SUCH_FD, POLLIN);
    expect(table.poll(5000)).toBeGreaterThan(0);
    expect(table.revents(1)).toBe(POLLNVAL);
    expect(wait(server, 0) & POLLHUP).toBe(POLLHUP);
  });

  test('grows beyond its capacity, and keeps its entries', () => {
    const { client, server } = pair();
    const table = new sys.PollTable(2);
    for (let i = 0; i < 100; i++) {
      expect(table.add(i === 70 ? client : server, i % 2 ? POLLIN : 0)).toBe(i);
    }
    expect(table.length).toBe(100);
    for (let i = 0; i < 100; i++) {
      expect(table.fd(i)).toBe(i === 70 ? client : server);
      expect(table.events(i)).toBe(i % 2 ? POLLIN : 0);
    }
    table.setEvents(70, POLLOUT);
    sys.send(client, Buffer.from('x'));
    wait(server, POLLIN);
    expect(table.poll(5000)).toBe(51);
    for (let i = 0; i < 100; i++) {
      expect(table.revents(i)).toBe(i === 70 ? POLLOUT : i % 2 ? POLLIN : 0);
    }
  });

  test('remove moves the last entry into the gap', () => {
    const { client, server } = pair();
    const table = new sys.PollTable();
    for (const fd of [server, server, client]) table.add(fd, fd === client ? POLLOUT : POLLIN);
    expect(table.poll(5000)).toBe(1);
    table.remove(0);
    expect(table.length).toBe(2);
    expect([table.fd(0), table.events(0), table.revents(0)]).toEqual([client, POLLOUT, POLLOUT]);
    expect(table.fd(1)).toBe(server);
    table.remove(1);
    expect(table.length).toBe(1);
    expect(table.poll(5000)).toBe(1);
    table.remove(0);
    expect(table.length).toBe(0);
    expect(table.poll(0)).toBe(0);
  });

  test('passes over an entry that is disabled', () => {
    const { client } = pair();
    const table = new sys.PollTable();
    table.add(client, POLLOUT);
    table.add(client, POLLOUT);
    table.disable(0);
    expect(table.poll(5000)).toBe(1);
    expect([0, 1].map((i) => table.revents(i))).toEqual([0, POLLOUT]);
  });
});

describe('descriptors', () => {
  test('a listener that cannot be opened leaves none open', () => {
    const { at } = listener();
    const probe = sys.socket(AF_INET);
    sys.close(probe);
    expect(() => sys.openListener(at, 1, true)).toThrow('EADDRINUSE');
    // The kernel hands out the lowest number that is free.
    expect(keep(sys.socket(AF_INET))).toBe(probe);
  });

  test.runIf(process.platform === 'linux')('all are closed on exec', () => {
    const { listener, client, server } = pair();
    for (const fd of [listener, client, server]) {
      expect(flagsOf(fd) & 0o2000000, 'O_CLOEXEC').not.toBe(0);
    }
  });

  test.runIf(process.platform === 'linux')('none of this file’s is left open', () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i++) {
      const { listener, client, server } = pair();
      for (const fd of [listener, client, server]) close(fd);
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    expect(open.size).toBe(0);
  });
});
