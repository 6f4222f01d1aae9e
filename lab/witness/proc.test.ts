import { expect, test } from 'vitest';
import { ownMemory, ringState } from './proc.ts';

/** What Linux 6.18 says of a ring, without the lines that are of no interest here. */
const INFO = `pos:\t0
SqMask:\t0x3ff
SqHead:\t7
SqTail:\t9
CachedSqHead:\t7
SQEs:\t2
CQEs:\t0
UserBufs:\t0
PollList:
  op=6, task_works=0
  op=27, task_works=0
  op=13, task_works=0
  op=27, task_works=0
  op=99, task_works=0
CqOverflowList:
NAPI:\tdisabled
`;

test('a ring says what it waits for on descriptors, and how much it was given', () => {
  expect(ringState(INFO)).toEqual({
    inFlight: { poll: 1, recv: 2, accept: 1, 'operation 99': 1 },
    handedOver: 7,
  });
  expect(ringState(INFO.replace(/ {2}op=.*\n/g, ''))).toEqual({ inFlight: {}, handedOver: 7 });
});

test('what is not said is not known', () => {
  expect(ringState('pos:\t0\nflags:\t02\n')).toBeUndefined();
  expect(ringState(INFO.replace('PollList:', 'Other:'))).toBeUndefined();
});

test('memory of its own is what belongs to no file', () => {
  const status = 'VmRSS:\t   90112 kB\nRssAnon:\t   40960 kB\nRssFile:\t   49152 kB\n';
  expect(ownMemory(status)).toBe(40 * 1024 * 1024);
  expect(ownMemory('State:\tZ (zombie)\n')).toBe(0);
});
