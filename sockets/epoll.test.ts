/** epoll, over real sockets on the loopback interface. */
import { afterEach, describe, expect, test } from 'vitest';
import { EPOLLHUP, EPOLLIN, EPOLLOUT, Epoll } from './epoll.ts';
import { connectedPair } from './examples/connected-pair.ts';
import * as sys from './index.ts';

const open: number[] = [];

afterEach(() => {
  for (const fd of open.splice(0)) sys.close(fd);
});

function pair() {
  const { client, server } = connectedPair();
  open.push(client, server);
  return { client, server };
}

function epollInstance(capacity?: number): Epoll {
  const epoll = new Epoll(capacity);
  open.push(epoll.fd);
  return epoll;
}

/** Everything that one wait says. */
function answers(epoll: Epoll, timeout = 5000) {
  const ready = epoll.wait(timeout);
  return Array.from({ length: ready }, (_, i) => [epoll.data(i), epoll.events(i)]);
}

describe('Epoll', () => {
  test('says who is ready and for what, again and again until it is received', () => {
    const [one, other] = [pair(), pair()];
    const epoll = epollInstance();
    epoll.add(one.server, EPOLLIN);
    epoll.add(other.server, EPOLLIN | EPOLLOUT, 0x7fff_ffff);
    expect(answers(epoll)).toEqual([[0x7fff_ffff, EPOLLOUT]]);
    sys.send(one.client, Buffer.from('x'));
    epoll.modify(other.server, 0, -5);
    for (let i = 0; i < 2; i++) expect(answers(epoll)).toEqual([[one.server, EPOLLIN]]);
    sys.recv(one.server, Buffer.alloc(10));
    expect(answers(epoll, 0)).toEqual([]);
    epoll.modify(other.server, EPOLLOUT, -5);
    expect(answers(epoll)).toEqual([[-5, EPOLLOUT]]);
  });

  test('returns no more than its capacity, and the others in the next wait', () => {
    const epoll = epollInstance(2);
    const pairs = Array.from({ length: 5 }, pair);
    for (const { client } of pairs) epoll.add(client, EPOLLOUT);
    const seen = new Set<number>();
    // The kernel takes turns among those that are ready.
    for (let i = 0; i < 5; i++) for (const [data] of answers(epoll)) seen.add(data as number);
    expect(seen.size).toBe(5);
  });

  test('forgets a descriptor that is closed', () => {
    const { client, server } = connectedPair();
    open.push(client);
    const epoll = epollInstance();
    epoll.add(server, EPOLLOUT);
    expect(answers(epoll)).toHaveLength(1);
    sys.close(server);
    expect(answers(epoll, 0)).toEqual([]);
  });

  test('reports a hang-up unasked', () => {
    const { client, server } = pair();
    const epoll = epollInstance();
    epoll.add(server, 0);
    expect(answers(epoll, 0)).toEqual([]);
    sys.shutdown(server, sys.SHUT_WR);
    sys.shutdown(client, sys.SHUT_WR);
    expect(answers(epoll)).toEqual([[server, EPOLLHUP]]);
  });

  test('throws what the kernel says', () => {
    const { server } = pair();
    const epoll = epollInstance();
    epoll.add(server, EPOLLIN);
    expect(() => epoll.add(server, EPOLLIN)).toThrow('epoll_ctl EEXIST');
    expect(() => epoll.modify(2 ** 30, EPOLLIN)).toThrow('epoll_ctl EBADF');
  });
});
