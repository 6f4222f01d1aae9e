/** Which cause is named, from what was seen. (What the mutants are told is compared in their own tests.) */
import { expect, test } from 'vitest';
import { CAUSES, explain } from './causes.ts';
import type { Check } from './check.ts';
import { checks } from './checks/index.ts';
import { rightCauses } from './mutants/causes.ts';
import { mutants } from './mutants/index.ts';
import type { Verdict } from './run.ts';

function failed(id: string, more: Partial<Verdict> = {}): Verdict {
  const check = checks.find((one) => one.id === id) as Check;
  const verdict = { check, outcome: 'fail', message: '', milliseconds: 0, transcript: '' } as const;
  return { ...verdict, ...more };
}

const differs = (id: string, expected: string, got: string, transcript = '') =>
  failed(id, {
    message: 'the answer differs',
    difference: { offset: 0, expected: `"${expected}"`, got: `"${got}"` },
    transcript,
  });

const causes = (...verdicts: Verdict[]) =>
  Object.fromEntries([...explain(verdicts)].map(([id, { cause }]) => [id, cause]));
const texts = (...verdicts: Verdict[]) => [...explain(verdicts).values()].map(({ text }) => text);

test.each([
  ['hello\\r\\n', 'hello\\n', 'answers-lf'],
  ['hello\\r\\n', 'hello', 'strips-the-end'],
  ['hello\\r\\n', 'hello\\r\\n\\n', 'doubles-the-end'],
  ['hello\\r\\n', 'Welcome', 'greets'],
  ['hello\\r\\n', 'help\\r\\n', undefined],
])('the first line: %s came back as %s', (expected, got, cause) => {
  expect(causes(differs('framing/one-line', expected, got))['framing/one-line']).toBe(cause);
});

test('a death has the cause that its last words name, and none where they name none', () => {
  const died = (words: string) =>
    failed('half-close/nothing-sent', { died: true, message: `the server died: ${words}` });
  expect(texts(died('it was ended by SIGPIPE'))).toEqual([CAUSES['dies-of-a-write']]);
  expect(texts(died('read ECONNRESET'))).toEqual([CAUSES['dies-of-a-reset']]);
  expect(texts(died('ConnectionResetError: [Errno 104]'))).toEqual([CAUSES['dies-of-a-reset']]);
  expect(texts(died('segmentation fault'))).toEqual([undefined]);
});

test('a refused connection is no matter of the check that met it', () => {
  const refused = (id: string) => failed(id, { message: 'connecting to x: connect ECONNREFUSED' });
  expect(texts(refused('half-close/nothing-sent'))).toEqual([undefined]);
  expect(texts(refused('concurrency/both-families'))[0]).toContain('one address only');
});

test('a wrong byte in a long line is no matter of the end of input, nor of a limit', () => {
  const id = 'half-close/answers-after-fin';
  expect(causes(differs(id, '…xxxxxxxxXxxx…', '…xxxxxxxxYxxx…'))[id]).toBe('changes-a-byte');
  expect(texts(differs(id, '…abc\\r\\n', '…qqqqq…'))).toEqual([undefined]);
});

test('what follows from a failure that was told says so', () => {
  const explained = explain([
    failed('framing/partial-line-is-held', {
      message: 'the line is not complete yet, but "par" came',
    }),
    failed('framing/lone-lf-is-a-byte', { message: 'a lone LF does not, but "unix\\n" came' }),
    differs('half-close/tail-is-dropped', 'whole\\r\\n', 'whole\\r\\nunfinished'),
    failed('slow-readers/server-stops-taking', { message: 'the server took 1 byte' }),
  ]);
  expect(explained.get('framing/partial-line-is-held')?.text).toBe(CAUSES['echoes-reads']);
  expect(explained.get('framing/lone-lf-is-a-byte')).toMatchObject({
    follows: 'framing/partial-line-is-held',
  });
  expect(explained.get('half-close/tail-is-dropped')?.text).toContain(
    'probably the same as in framing/partial-line-is-held: does it echo whatever recv returned',
  );
  expect(explained.get('slow-readers/server-stops-taking')?.follows).toBeUndefined();
});

test('an LF that ends a line is no chunk echoed, where partial lines are held', () => {
  const id = 'framing/lone-lf-is-a-byte';
  expect(causes(failed(id, { message: 'a lone LF, but "unix\\n" came' }))[id]).toBe('ends-at-lf');
});

test('what another client has sent is told from what was changed', () => {
  const transcript = [
    '     1.0 ms  holder sends 12 bytes: partial line',
    '     1.2 ms  bystander receives 25 bytes: partial line meanwhile',
  ].join('\n');
  const id = 'concurrency/beside-one-partial-line';
  const verdict = differs(id, 'meanwhile 0\\r\\n', 'partial line ', transcript);
  expect(causes(verdict)[id]).toBe('mixes-clients');
});

test('every mutant carries the cause that a reader should be told', () => {
  const missing = Object.keys(mutants).filter((name) => !(name in rightCauses));
  expect(missing).toEqual([]);
  const ids = checks.map(({ id }) => id);
  const named = Object.values(rightCauses).flat();
  expect(named.filter((one) => !(one in CAUSES) && !ids.includes(one))).toEqual([]);
});
