import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EndOfLine, LineFramer, linesOf } from './framing.ts';

/** The protocol in the plainest words, quadratic and obviously right: what goes back, and what ends it. */
function oracle(input: Buffer, endOfLine: EndOfLine, maxLine: number) {
  const terminator = endOfLine === 'crlf' ? '\r\n' : '\n';
  let end = 0;
  for (;;) {
    const at = input.indexOf(terminator, end);
    const lineEnd = at + terminator.length;
    if (at < 0 || lineEnd - end > maxLine) break;
    end = lineEnd;
  }
  const rest = input.length - end;
  const at = input.indexOf(terminator, end);
  return { echo: input.subarray(0, end), overlong: at >= 0 || rest >= maxLine, tail: rest };
}

/** Bytes in which CR and LF are frequent, alone and together. */
const input = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('\r\n', '\r', '\n', '\r\r\n', '\n\r') },
      { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
      { weight: 1, arbitrary: fc.string({ minLength: 20, maxLength: 60 }) },
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));
const cuts = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 60 });
const endOfLine = fc.constantFrom<EndOfLine>('crlf', 'lf');
const maxLine = fc.oneof(fc.integer({ min: 2, max: 40 }), fc.constant(65536));

/** Cuts the input into chunks of the given sizes, again and again from the first. */
function* chunks(bytes: Buffer, sizes: number[]): Generator<Buffer> {
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

describe('LineFramer', () => {
  test('push agrees with the oracle however the bytes are split', () => {
    fc.assert(
      fc.property(input, cuts, endOfLine, maxLine, (bytes, sizes, eol, max) => {
        const framer = new LineFramer(eol, max);
        const echoed: Buffer[] = [];
        for (const chunk of chunks(bytes, sizes)) echoed.push(...framer.push(chunk));
        const expected = oracle(bytes, eol, max);
        expect(Buffer.concat(echoed).toString('latin1')).toBe(expected.echo.toString('latin1'));
        expect(framer.overlong).toBe(expected.overlong);
        if (!expected.overlong) expect(framer.tailLength).toBe(expected.tail);
      }),
      { numRuns: 3000 },
    );
  });

  test('frame agrees with push, in a buffer that all connections share', () => {
    fc.assert(
      fc.property(input, cuts, endOfLine, maxLine, (bytes, sizes, eol, max) => {
        const framer = new LineFramer(eol, max);
        const headroom = Math.min(max, 100);
        const shared = Buffer.alloc(headroom + 64, '\n');
        const echoed: Buffer[] = [];
        for (const chunk of chunks(bytes, sizes)) {
          shared.fill('\r\n'); // what another connection left there
          chunk.copy(shared, headroom);
          // The tail must fit in front; the limit of this test's lines stands in for --max-line.
          if (framer.tailLength > headroom) return;
          const { start, end } = framer.frame(shared, headroom, headroom + chunk.length);
          echoed.push(Buffer.from(shared.subarray(start, end)));
        }
        const expected = oracle(bytes, eol, max);
        expect(Buffer.concat(echoed).toString('latin1')).toBe(expected.echo.toString('latin1'));
        expect(framer.overlong).toBe(expected.overlong);
      }),
      { numRuns: 3000 },
    );
  });

  test('a line of just the limit passes, one byte more does not', () => {
    for (const split of [1, 7, 98, 99, 100, 101, 1000]) {
      const exact = new LineFramer('crlf', 100);
      const line = Buffer.from(`${'x'.repeat(98)}\r\n`);
      const echoed = [...chunks(line, [split])].flatMap((chunk) => exact.push(chunk));
      expect(Buffer.concat(echoed)).toEqual(line);
      expect(exact.overlong).toBe(false);

      const beyond = new LineFramer('crlf', 100);
      const more = Buffer.from(`ok\r\n${'x'.repeat(99)}\r\nnever\r\n`);
      const before = [...chunks(more, [split])].flatMap((chunk) => beyond.push(chunk));
      expect(Buffer.concat(before).toString()).toBe('ok\r\n');
      expect(beyond.overlong).toBe(true);
    }
  });

  test('copies nothing but the tail', () => {
    const framer = new LineFramer('crlf', 65536);
    const chunk = Buffer.from('one\r\ntwo\r\nthr');
    const [run] = framer.push(chunk);
    expect(run?.buffer).toBe(chunk.buffer);
    expect(run?.byteOffset).toBe(chunk.byteOffset);
    expect(framer.tailLength).toBe(3);
  });

  test('remembers that an unfinished line had bare LFs in it', () => {
    const framer = new LineFramer('crlf', 65536);
    framer.push(Buffer.from('done\r\nhello\n'));
    expect(framer.tailHasBareLf).toBe(true);
    framer.push(Buffer.from('\r\n'));
    framer.push(Buffer.from('tail'));
    expect(framer.tailHasBareLf).toBe(false);
  });
});

test('linesOf cuts a run into its lines and loses nothing', () => {
  fc.assert(
    fc.property(input, endOfLine, (bytes, eol) => {
      const run = oracle(bytes, eol, Number.POSITIVE_INFINITY).echo;
      const lines = [...linesOf(run, eol)];
      expect(Buffer.concat(lines)).toEqual(run);
      for (const line of lines) {
        const text = line.toString('latin1');
        expect(text.indexOf(eol === 'crlf' ? '\r\n' : '\n')).toBe(
          text.length - (eol === 'crlf' ? 2 : 1),
        );
      }
    }),
  );
});
