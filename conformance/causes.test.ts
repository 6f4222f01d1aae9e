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

test('what fills the block of another client is no old byte of this one', () => {
  const id = 'bystanders/pending-output';
  const due = '0000040aaaaaaaaa…';
  expect(causes(differs(id, due, 'b\\r\\n0000040aaaaaa…'))[id]).toBe('mixes-clients');
  expect(causes(differs(id, due, 'a\\r\\n0000040aaaaaa…'))[id]).not.toBe('mixes-clients');
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

test('bytes that fill the lines of another client are told from lines out of order', () => {
  const id = 'half-close/again-and-again';
  const inOrder = '….\\r\\n0000031aaaaaaaaaaaaaa…';
  const told = (got: string) => causes(differs(id, inOrder, got))[id];
  expect(told('….\\r\\n0000045aaaaaaaaaaaaaa…')).toBe('another-line');
  expect(told('….\\r\\n0000045vvvvvvvvvvvvvv…')).toBe('mixes-clients');
});

test('what a client that is gone has begun is told from what was changed', () => {
  const transcript = [
    '     0.4 ms  resets 0 sends 19 bytes: accepted\\r\\nhalf a li',
    '     0.6 ms  resets 0 sends RST',
    '     3.2 ms  resets 1 sends 19 bytes: accepted\\r\\nhalf a li',
    '     3.3 ms  resets 1 receives 19 bytes: half a liaccepted\\r\\n',
  ].join('\n');
  const id = 'resets/mid-line';
  const verdict = differs(id, 'accepted\\r\\n', 'half a lia', transcript);
  expect(causes(verdict)[id]).toBe('mixes-clients');
});

test('where others wait, the search for CR LF is not to blame', () => {
  const silence = (who: string) => ({
    message: `${who}, waiting for 13 bytes: not within 5000 ms; nothing had come`,
  });
  const split = failed('framing/crlf-split-across-segments', silence('client'));
  const beside = 'concurrency/beside-any-partial-line';
  expect(causes(split)).toEqual({ [split.check.id]: 'misses-a-split-end' });
  expect(causes(split, failed(beside, silence('bystander')))).toEqual({
    [split.check.id]: 'waits-for-a-line',
    [beside]: 'waits-for-a-line',
  });
});

test('a connection that ends after many answers is no matter of what was said last', () => {
  const over =
    'client, waiting for 3 bytes: the server closed the connection (FIN); nothing had come';
  const first = '     0.1 ms  client receives 3 bytes: x\\r\\n';
  const long = { message: over, transcript: `${first}\n           … 9,900 more …\n${first}` };
  const byte = failed('lines/every-byte-in-every-place', { message: over });
  const many = 'lines/two-hundred-thousand';
  expect(causes(failed(many, long), byte)[byte.check.id]).toBe('falls-silent');
  expect(causes(failed(many, { message: over, transcript: first }))[many]).toBeUndefined();
});

test('who waits for a visitor that nobody serves shows no leak', () => {
  const silence = (n: number) =>
    texts(
      failed('leaks/after-resets', {
        message: `visitor ${n}, waiting for 3 bytes: not within 5000 ms; nothing had come`,
      }),
    );
  expect(silence(0)).toEqual([undefined]);
  expect(silence(900)[0]).toContain('a way out');
});

test('whoever is not served after hundreds of visits meets a server that has run out of something', () => {
  const silence = (who: string) => ({
    message: `${who}, waiting for 10 bytes: not within 5000 ms; nothing had come`,
  });
  const shortOnes = 'concurrency/hundreds-of-short-ones';
  const later = failed('half-close/again-and-again', silence('sips, 13 lines'));
  expect(causes(later, failed(shortOnes, silence('client 250')))).toEqual({
    [later.check.id]: 'leaks',
    [shortOnes]: 'leaks',
  });
  expect(causes(failed(shortOnes, silence('client 1')))[shortOnes]).toBeUndefined();
});

test('who waits beside twenty that flood and do not read may wait for the flood', () => {
  const silence = 'bystander, waiting for 13 bytes: not within 5000 ms; nothing had come';
  const twenty = failed('slow-readers/beside-twenty', { message: silence });
  const flood = failed('streams/beside-one-that-floods', {
    message: `while some clients flood, an older client is not served: ${silence}; they got 9 bytes meanwhile`,
  });
  expect(texts(twenty)[0]).toContain('limited number of threads');
  expect(Object.values(causes(flood, twenty))).toEqual(['starves-others', 'starves-others']);
});

test('output that is missing before an orderly end was not thrown away by the kernel', () => {
  const came = (how: string) =>
    failed('limits/line-too-long-with-more-behind', {
      message: `39,351 of the 40,360 bytes came back: waiting: the server ${how}; 39,351 bytes had come`,
    });
  const resumes = failed('slow-readers/resumes-and-gets-everything', {
    message: '9 bytes of 99 never came: waiting: not within 5000 ms; nothing had come',
  });
  const told = (how: string) => causes(came(how), resumes)['limits/line-too-long-with-more-behind'];
  expect(told('closed the connection (FIN)')).toBe('drops-output');
  expect(told('reset the connection (RST)')).toBeUndefined();
});

test('the end of a line that comes twice is told from lines out of order', () => {
  const id = 'lines/lengths';
  const told = (got: string) => causes(differs(id, '1.98:aZoNilXpL09…', got))[id];
  expect(told('lPn1fpw\\r\\n1.98:aZ…')).toBe('brings-back-old-bytes');
  expect(told('1.97:Pn1fpw\\r\\n1.98:aZ…')).toBe('another-line');
  expect(told('lPn1fpw\\r\\nqqqqqqq…')).toBeUndefined();
});

test('memory that grows with what was echoed is no matter of how a client has left', () => {
  const grown = (id: string) => failed(id, { message: 'memory has grown by 456 MiB' });
  const [bytes, pending] = ['leaks/after-many-bytes', 'leaks/after-pending-output'];
  expect(causes(grown(bytes), grown(pending))).toEqual({
    [bytes]: 'keeps-what-was-sent',
    [pending]: 'keeps-what-was-sent',
  });
  expect(causes(grown(pending))[pending]).toBeUndefined();
});

test('what several clients have left behind is told from what was changed', () => {
  const transcript = [
    '     0.4 ms  holds a CR sends 1 byte: \\r',
    '     0.8 ms  holds a line without its LF sends 12 bytes: almost done\\r',
    '     2.6 ms  holds 600 bytes sends 600 bytes: six hundred six hundred … 540 bytes …',
    '     2.7 ms  holds 600 bytes receives 617 bytes: \\ralmost done\\r … 580 bytes …',
  ].join('\n');
  const id = 'concurrency/beside-any-partial-line';
  const verdict = differs(id, 'six hundred six …', '\\ralmost done\\ra…', transcript);
  expect(causes(verdict)[id]).toBe('mixes-clients');
});

test('pieces that are missing within a line are what the check of many pieces guesses at', () => {
  const differing = differs('bystanders/many-pieces', '…aCjOJtm8r…', '…aC4nBcKPM…');
  expect(texts(differing)[0]).toContain('every piece of a line');
});

test('wrong bytes come from another client where a newcomer got what was not its own', () => {
  const split = 'framing/crlf-split-across-segments';
  const given = failed('resets/leave-nothing-to-others', {
    message: 'a newcomer got "not yours\\r\\n" besides its own',
  });
  expect(causes(given, differs(split, 'a\\r\\n', 'not'))[split]).toBe('mixes-clients');
});

test('who is turned away long before 1,024 descriptors is not told about select(2)', () => {
  const ended = (n: number) =>
    failed('concurrency/beyond-1024-descriptors', {
      message: `client ${n} + 3, waiting for 10 bytes: the server closed the connection (FIN); nothing had come`,
    });
  expect(texts(ended(780))).toEqual([undefined]);
  expect(texts(ended(1016))[0]).toContain('select(2)');
});

test('an answer that comes only after the FIN says where to look', () => {
  const id = 'framing/one-line';
  const transcript = [
    '     0.8 ms  client sends 7 bytes: hello\\r\\n',
    '  5002.0 ms  client sends FIN (half-close)',
    '  5002.6 ms  client receives 7 bytes: hello\\r\\n',
  ].join('\n');
  const message = 'client, waiting for 7 bytes: not within 5000 ms; nothing had come';
  expect(causes(failed(id, { message, transcript }))[id]).toBe('answers-at-the-end');
  expect(causes(failed(id, { message }))[id]).toBeUndefined();
});

test('who loses lines is not blamed for an echo of a line that is too long', () => {
  const several = 'framing/many-lines-in-one-segment';
  const long = 'limits/line-too-long';
  const loses = differs(several, 'one\\r\\ntwo\\r\\n', 'one\\r\\n');
  expect(causes(loses)[several]).toBe('loses-lines');
  const message =
    'the answer differs at byte 8: expected "before\\r\\n", got "before\\r\\nxxxxxxxx…"';
  const echoed = { ...differs(long, 'before\\r\\n', 'before\\r\\nxxxxxxxx…'), message };
  expect(causes(loses, echoed)[long]).toBeUndefined();
  expect(texts(loses, echoed)[1]).toContain('limit');
});

test('what this client was due is not taken for what another one began a piece with', () => {
  const transcript = [
    '     1.1 ms  narrow 7 sends 19 bytes: \\xe8\\xaa\\x9e\\xc5\\x99\\xe8\\xaa\\x9e …',
    '     2.7 ms  narrow 3 receives 617 bytes: \\xc5\\x99 … 580 bytes …',
  ].join('\n');
  const id = 'streams/narrow-readers';
  const text = '.20000:\\xe8\\xaa\\x9e\\xc5\\x99\\xe8\\xaa\\x9e';
  expect(causes(differs(id, `3${text}…`, `${text}\\xe4…`, transcript))[id]).toBeUndefined();
});

test('every mutant carries the cause that a reader should be told', () => {
  const missing = Object.keys(mutants).filter((name) => !(name in rightCauses));
  expect(missing).toEqual([]);
  const ids = checks.map(({ id }) => id);
  const named = Object.values(rightCauses).flat();
  expect(named.filter((one) => !(one in CAUSES) && !ids.includes(one))).toEqual([]);
});
