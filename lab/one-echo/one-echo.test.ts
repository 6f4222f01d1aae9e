/** One echo: what strace and tcpdump write, and what is made of it. */
import { expect, test } from 'vitest';
import { echoes, framingOf } from '../page/one-echo.ts';
import { bytesOf, explained, type Step } from './path.ts';
import { bytesIn, callsOf, packetsOf, unescaped } from './strace.ts';

test('calls are put together from their halves, in the order in which they returned', () => {
  const text = String.raw`11 100.000001 sendto(3<TCP:[127.0.0.1:5->127.0.0.1:6]>, "\x68\x0d\x0a", 3, 0, NULL, 0) = 3
12 100.000002 recvfrom(9<TCP:[127.0.0.1:6->127.0.0.1:5]>,  <unfinished ...>
13 100.000003 futex(0x1, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>
12 100.000005 <... recvfrom resumed>"\x68\x0d\x0a", 65536, 0, NULL, NULL) = 3
12 100.000007 recvfrom(9<TCP:[127.0.0.1:6->127.0.0.1:5]>, 0x1, 65536, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)
11 100.000009 +++ exited with 0 +++`;
  const calls = callsOf(text);
  expect(calls.map(({ pid, name, result }) => [pid, name, result])).toEqual([
    [11, 'sendto', 3],
    [12, 'recvfrom', 3],
    [12, 'recvfrom', -1],
    [13, 'futex', undefined],
  ]);
  expect(calls[1]?.at).toBe(100.000005);
  expect(calls[1]?.args).toContain('127.0.0.1:6->127.0.0.1:5');
  expect(calls.map(({ args }) => bytesIn(args))).toEqual([
    '680d0a',
    '680d0a',
    undefined,
    undefined,
  ]);
  expect(unescaped(String.raw`<\x61\x62>`)).toBe('<ab>');
});

test('segments, as tcpdump prints them', () => {
  const text = `1.000100 IP 127.0.0.1.5 > 127.0.0.1.6: Flags [P.], seq 1:8, ack 1, win 512, options [nop,nop,TS val 1 ecr 2], length 7
1.000200 IP 127.0.0.1.6 > 127.0.0.1.5: Flags [.], ack 8, win 512, options [nop,nop,TS val 1 ecr 2], length 0
tcpdump: listening`;
  expect(packetsOf(text)).toEqual([
    { at: 1.0001, fromPort: 5, flags: 'P.', length: 7, ack: 1 },
    { at: 1.0002, fromPort: 6, flags: '.', length: 0, ack: 8 },
  ]);
});

test('every byte has a meaning', () => {
  expect(bytesOf('61200d0a0a0d').map(({ shown }) => shown)).toEqual([
    ...['a', '0x20', 'CR', 'LF', '0x0a', '0x0d'],
  ]);
});

test('in each recording the line goes there, is found, and comes back', () => {
  const all = echoes();
  expect(all.map(({ model }) => model)).toContain('poll-loop');
  for (const echo of all) {
    const { model, steps, line } = echo;
    const size = line.length / 2;
    const carries = (step: Step) =>
      step.what === 'segment' ? step.length === size : step.bytes === line;
    const way = steps
      .filter(carries)
      .map((step) =>
        step.what === 'segment' ? `wire from ${step.from}` : `${step.who} ${step.call}`,
      );
    // No call on a ring carries a byte: the line is read within one, and the echo is sent within another.
    const rings = steps.filter((step) => step.what === 'call' && step.on === 'ring');
    expect(way, model).toEqual([
      'client send',
      'wire from client',
      ...(rings.length > 0
        ? []
        : [
            expect.stringMatching(/^server (recv|read)$/),
            expect.stringMatching(/^server (send|write)$/),
          ]),
      'wire from server',
      'client recv',
    ]);
    if (rings.length > 0) {
      const results = rings.map((step) => (step.what === 'call' ? step.result : undefined));
      expect(results, model).toEqual([0, 2, undefined]);
    }
    const rows = explained(echo, framingOf(model));
    expect(rows.every(({ why }) => why.length > 20)).toBe(true);
    expect(
      rows.filter(({ why }) => why.startsWith('No system call')),
      model,
    ).toHaveLength(1);
    expect(rows.at(-1)?.why).toMatch(/^The echo is done: the thread sleeps/);
  }
});
