import { expect, test } from 'vitest';
import { parseSystemCall } from './system-calls.ts';

test('what /proc says is a call by its name, on either machine', () => {
  const text = '45 0x15 0x7f 0x80000 0x0 0x0 0x0 0x7ffc 0x7f7a\n';
  expect(parseSystemCall(text, 'x64')).toEqual({
    is: 'waiting',
    call: 'recv',
    shape: 'input',
    args: [0x15, 0x7f, 0x80000, 0, 0, 0],
  });
  expect(parseSystemCall(text.replace('45', '207'), 'arm64')).toMatchObject({ call: 'recv' });
  expect(parseSystemCall('73 0x1 0x2 0x0 0x0 0x0 0x0 0x0 0x0', 'arm64')).toMatchObject({
    call: 'poll',
    shape: 'table',
  });
  expect(parseSystemCall('running\n', 'x64')).toEqual({ is: 'running' });
  expect(parseSystemCall('-1 0x7ffc 0x7f7a\n', 'x64')).toEqual({ is: 'elsewhere' });
  expect(parseSystemCall('999 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0', 'x64')).toMatchObject({
    call: 'system call 999',
    shape: 'none',
  });
});
