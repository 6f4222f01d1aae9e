/** Random scripts: what several clients do, step by step, and what each must get for it. */
import fc from 'fast-check';

export type Step =
  | { readonly client: number; readonly does: 'send'; readonly bytes: Buffer }
  | { readonly client: number; readonly does: 'pause' | 'resume' | 'half-close' | 'reset' }
  | { readonly client: number; readonly does: 'wait'; readonly milliseconds: number };

const CLIENTS = 4;

/** A length that divides no buffer's: reads end in the middle of lines. */
const LINE = `${'.'.repeat(1007)}\r\n`;

/** Bytes of which most scripts are made: line ends, halves of line ends, and what looks like them. */
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('\r\n', '\r', '\n', 'a', 'line\r\n', '\xff\x00') },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3000 }).map((n) => 'x'.repeat(n)) },
  { weight: 1, arbitrary: fc.integer({ min: 2, max: 300 }).map((n) => '1009\r\n'.repeat(n)) },
);

const bytes = fc
  .oneof(
    { weight: 3, arbitrary: fc.array(piece, { minLength: 1, maxLength: 8 }) },
    // A line end in two segments takes two steps of one client: by chance alone that is rare.
    { weight: 2, arbitrary: fc.constantFrom(['a\r'], ['\nb\r']) },
    // More than a narrow client's server can get rid of while that client does not read.
    { weight: 1, arbitrary: fc.integer({ min: 64, max: 256 }).map((n) => [LINE.repeat(n)]) },
  )
  .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));

const client = fc.nat(CLIENTS - 1);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ client, does: fc.constant('send' as const), bytes }) },
  {
    weight: 2,
    arbitrary: fc.record({ client, does: fc.constantFrom('pause' as const, 'resume' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      client,
      does: fc.constantFrom('half-close' as const, 'reset' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      client,
      does: fc.constant('wait' as const),
      milliseconds: fc.constantFrom(0, 1, 3, 10),
    }),
  },
);

/** Scripts of up to 30 steps. They stay below the longest line. */
export const script = fc.array(step, { minLength: 1, maxLength: 30 });

/** The oracle: what was sent, up to the last CR LF. */
export function answerTo(sent: Buffer): Buffer {
  const end = sent.lastIndexOf('\r\n');
  return sent.subarray(0, end < 0 ? 0 : end + 2);
}
