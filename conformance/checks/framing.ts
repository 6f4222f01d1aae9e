/** A line is any bytes up to and including CR LF, and it comes back unchanged. */
import { setImmediate } from 'node:timers/promises';
import type { Check } from '../check.ts';
import { randomNumbers } from '../content.ts';
import { expectAnswer, expectEcho, expectNothing } from '../expect.ts';
import { extent, paceOf } from '../pace.ts';

const COMPLETE_LINES = 'The server echoes complete lines, and CR LF separates lines.';
const ANY_BYTES =
  'A line is any bytes up to and including CR LF; the echo is those bytes, unchanged.';
const BARE = 'A lone CR or a lone LF is an ordinary byte.';
const PARTIAL = 'A partial line waits for its CR LF, however the bytes are split.';

export const framing: readonly Check[] = [
  {
    id: 'framing/one-line',
    level: 'must',
    title: 'A line comes back with its CR LF',
    sentence: COMPLETE_LINES,
    cause:
      'does it answer with the line as it came, CR LF included? A greeting, a prompt, a lost CR and an added one all show here',
    async run(scene) {
      await expectEcho(await scene.client(), 'hello\r\n');
    },
  },
  {
    id: 'framing/many-lines-in-order',
    level: 'must',
    title: 'Many lines on one connection come back in order',
    sentence: 'A client may send any number of lines on its connection.',
    cause:
      'does it read from a connection again after the first answer, and leave blanks and other signs as they are?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      for (let i = 0; i < 200; i++) await expectEcho(client, `line ${i}\r\n`);
      for (const line of [' ', '\t', '  blanks around it\t ', '.', '-e "$HOME" %s \\n'])
        await expectEcho(client, `${line}\r\n`);
    },
  },
  {
    id: 'framing/empty-line',
    level: 'must',
    title: 'An empty line is a line',
    sentence: COMPLETE_LINES,
    cause:
      'does it take a CR LF with nothing before it for no line at all, or drop lines that follow it?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      await expectEcho(client, '\r\n');
      await expectEcho(client, '\r\n\r\nx\r\n\r\n');
    },
  },
  {
    id: 'framing/one-byte-at-a-time',
    level: 'must',
    title: 'A line that comes byte by byte is one line',
    sentence: PARTIAL,
    cause: 'does it take each recv for a whole line, or lose what came before?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      // Several lines: a server that is slow to read may find two bytes at once now and then.
      for (let i = 0; i < 8; i++) {
        const line = Buffer.from(i === 0 ? 'one byte at a time\r\n' : `line ${i}\r\n`);
        await client.sendBytewise(line, 1);
        await expectAnswer(client, line);
      }
    },
  },
  {
    id: 'framing/many-lines-in-one-segment',
    level: 'must',
    title: 'All lines of one segment are answered',
    sentence: COMPLETE_LINES,
    cause: 'does it answer one line for each recv, or drop what follows the first?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      await expectEcho(client, 'one\r\ntwo\r\nthree\r\n');
      const { line } = await paceOf(scene);
      await expectEcho(client, 'x\r\n'.repeat(Math.max(50, Math.min(5000, 2000 / line))));
    },
  },
  {
    id: 'framing/partial-line-is-held',
    level: 'must',
    title: 'A partial line is not echoed before its CR LF',
    sentence: COMPLETE_LINES,
    cause: 'the server echoed before the line was complete: does it echo whatever recv returned?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      // The line in front shows that the server has read the segment with the partial line in it.
      await client.send('whole\r\npar');
      await expectAnswer(client, 'whole\r\n');
      await expectNothing(scene, client, 'the line is not complete yet');
      await client.send('tial');
      await expectNothing(scene, client, 'the line is still not complete');
      await client.send('\r\n');
      await expectAnswer(client, 'partial\r\n');
    },
  },
  {
    id: 'framing/rest-of-a-segment-is-kept',
    level: 'must',
    title: 'What follows the last CR LF of a segment begins the next line',
    sentence: PARTIAL,
    cause:
      'are the bytes after the last CR LF of a recv thrown away, or lost in a buffer that is begun anew?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      for (let i = 0; i < 50; i++) {
        await client.send(`${i} done\r\n${i} to be`);
        const first = Buffer.from(`${i} done\r\n`);
        await expectAnswer(client, first);
        await client.send(' continued\r\n');
        const second = Buffer.from(`${i} to be continued\r\n`);
        await expectAnswer(client, second);
      }
    },
  },
  {
    id: 'framing/crlf-split-across-segments',
    level: 'should',
    title: 'CR and LF in two segments end a line all the same',
    sentence: PARTIAL,
    cause:
      "does it look for CR LF only in what one recv returned, or take the CR alone for the line's end?",
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      await client.send('first\r\nsplit\r');
      await expectAnswer(client, 'first\r\n');
      await expectNothing(scene, client, 'only the CR has come');
      await client.send('\n');
      await expectAnswer(client, 'split\r\n');
      await client.send('a\r');
      await scene.quiet();
      // What comes back shows that the next CR has been read, before its LF is sent.
      await client.send('\nb\r');
      await expectAnswer(client, 'a\r\n');
      await client.send('\n');
      await expectAnswer(client, 'b\r\n');
    },
  },
  {
    id: 'framing/empty-line-split-across-segments',
    level: 'should',
    title: 'An empty line is one, too, when its CR and its LF come in two segments',
    sentence: PARTIAL,
    cause: 'where does its search go on when a CR is all that it has kept?',
    needs: ['framing/empty-line', 'framing/crlf-split-across-segments'],
    async run(scene) {
      const client = await scene.client();
      for (let i = 0; i < 3; i++) {
        await client.play('\r', scene.moment, '\n');
        await expectAnswer(client, '\r\n');
        await expectEcho(client, `and line ${i}\r\n`);
      }
    },
  },
  {
    id: 'framing/lone-lf-is-a-byte',
    level: 'should',
    title: 'A lone LF does not end a line',
    sentence: BARE,
    cause: 'does it read lines with a function that ends them at LF?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      await client.send('real\r\nunix\n');
      await expectAnswer(client, 'real\r\n');
      await expectNothing(scene, client, 'a lone LF does not end a line');
      await client.send('\n more\r\n');
      await expectAnswer(client, 'unix\n\n more\r\n');
    },
  },
  {
    id: 'framing/lone-cr-is-a-byte',
    level: 'should',
    title: 'A lone CR does not end a line',
    sentence: BARE,
    cause:
      "does it read lines with a function that takes CR alone for a line's end, or echo whatever recv returned?",
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      await client.send('real\r\nmac\r');
      await expectAnswer(client, 'real\r\n');
      await client.send('still\r\r');
      await expectNothing(scene, client, 'a lone CR does not end a line');
      await client.send('\nx\r');
      await expectAnswer(client, 'mac\rstill\r\r\n');
      await client.send('\n');
      await expectAnswer(client, 'x\r\n');
    },
  },
  {
    id: 'framing/every-byte-value',
    level: 'should',
    title: 'All 256 byte values come back as they were',
    sentence: ANY_BYTES,
    cause: 'does it decode what it receives as text, or stop at a NUL byte?',
    needs: ['framing/one-line'],
    async run(scene) {
      const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      await expectEcho(
        await scene.client(),
        Buffer.concat([all, Buffer.from(all).reverse(), CRLF]),
      );
    },
  },
  {
    id: 'framing/invalid-utf8',
    level: 'should',
    title: 'Bytes that are no UTF-8 come back as they were',
    sentence: 'No decoding.',
    cause: 'does it decode what it receives as UTF-8? Echo bytes, not strings',
    needs: ['framing/one-line'],
    async run(scene) {
      const invalid = Buffer.from([
        0xc3, 0x28, 0xff, 0xfe, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x92, 0xc0,
      ]);
      await expectEcho(await scene.client(), Buffer.concat([invalid, CRLF]));
    },
  },
  {
    id: 'framing/multibyte-split-across-segments',
    level: 'should',
    title: 'A character whose bytes come in two segments survives',
    sentence: PARTIAL,
    cause: 'does it decode each recv by itself? Join the bytes first, or do not decode',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      const line = Buffer.from('žluťoučký 🐎 žluťoučký\r\n');
      for (let cut = 1; cut < line.length; cut += 3) {
        // The line in front shows that the first part has been read before the second is sent.
        await client.send(Buffer.concat([Buffer.from('in front\r\n'), line.subarray(0, cut)]));
        await expectAnswer(client, 'in front\r\n');
        await client.send(line.subarray(cut));
        await expectAnswer(client, line);
      }
    },
  },
  {
    id: 'framing/random-lines-32-mib',
    level: 'should',
    title: '32 MiB of random lines come back, byte for byte',
    sentence: ANY_BYTES,
    cause: 'is a short count from send ignored, a buffer too small, or a byte changed on the way?',
    needs: ['framing/one-line', 'framing/many-lines-in-one-segment'],
    async run(scene) {
      const client = await scene.client();
      const { byte } = await paceOf(scene);
      const most = Math.max(4096, Math.min(1024 * 1024, Math.floor(1000 / byte)));
      const until = performance.now() + 20_000;
      let bytes = 0;
      for await (const piece of randomLines()) {
        for (let at = 0; at < piece.length; ) {
          if (performance.now() > until) return extent(bytes, 32 * 1024 * 1024, 'bytes');
          // A slow server is sent fewer lines at once.
          const end = at + most < piece.length ? piece.lastIndexOf(CRLF, at + most) + 2 : 0;
          const lines = piece.subarray(at, end > at ? end : piece.length);
          await expectEcho(client, lines, bytes);
          at += lines.length;
          bytes += lines.length;
        }
      }
      return undefined;
    },
  },
];

const CRLF = Buffer.from('\r\n');

const made: Buffer[] = [];

/**
 * 32 MiB in pieces of 1 MiB, made once: several servers may be judged by one process. Each is made when
 * it is needed: a signal is heard between them.
 */
async function* randomLines(): AsyncGenerator<Buffer> {
  for (let i = 0; i < 32; i++) {
    await setImmediate();
    const piece = made[i] ?? randomPiece(randomNumbers(12321 + i));
    made[i] = piece;
    yield piece;
  }
}

function randomPiece(random: () => number): Buffer {
  const lines: Buffer[] = [];
  for (let size = 0; size < 1024 * 1024; ) {
    const line = randomLine(random, Math.floor(random() ** 4 * 9000));
    lines.push(line);
    size += line.length;
  }
  return Buffer.concat(lines);
}

/** Any bytes but CR LF in the middle. */
function randomLine(random: () => number, length: number): Buffer {
  const line = Buffer.alloc(length + 2);
  for (let i = 0; i < length; i++) line[i] = random() * 256;
  for (let at = line.indexOf(CRLF); at >= 0 && at < length; at = line.indexOf(CRLF))
    line[at] = 0x2e;
  if (length > 0 && line[length - 1] === 0x0d) line[length - 1] = 0x2e;
  line.write('\r\n', length);
  return line;
}
