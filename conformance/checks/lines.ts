/** Lines of all contents and lengths, and many of them: each comes back as it was. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, count } from '../../client/client.ts';
import type { Check } from '../check.ts';
import { lineOf, linesOf } from '../content.ts';
import { expectAnswer, expectEcho } from '../expect.ts';
import { extent, inTime, paceOf } from '../pace.ts';

const COMPLETE_LINES = 'The server echoes complete lines, and CR LF separates lines.';
const ANY_NUMBER = 'A client may send any number of lines on its connection.';
const ANY_BYTES =
  'A line is any bytes up to and including CR LF; the echo is those bytes, unchanged.';
const BARE = 'A lone CR or a lone LF is an ordinary byte.';
const PARTIAL = 'A partial line waits for its CR LF, however the bytes are split.';

/** How long one conversation may take, in milliseconds: a slow server is asked less. */
const TIME = 3000;

export const lines: readonly Check[] = [
  {
    id: 'lines/words',
    level: 'must',
    title: 'Words that mean something elsewhere are lines like others',
    sentence: COMPLETE_LINES,
    cause:
      'does it obey what a client says (quit, exit, help), expand it (%s, $HOME, \\n), or trim and change it?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      const all = WORDS.flatMap((word) => [word, word.toUpperCase(), capitalised(word)]);
      const said = await conversation(client, [...new Set([...WORDS, ...all])].map(asLine));
      await expectEcho(client, Buffer.concat(WORDS.map(asLine)));
      await client.close({ timeout: scene.moment });
      for (const word of OPENINGS) {
        const newcomer = await scene.client(`begins with ${word}`);
        await expectEcho(newcomer, asLine(word));
        await expectEcho(newcomer, 'and goes on\r\n');
        await newcomer.close({ timeout: scene.moment });
      }
      return said;
    },
  },
  {
    id: 'lines/short-after-long',
    level: 'must',
    title: 'A short line after a long one brings back nothing of the long one',
    sentence: ANY_NUMBER,
    cause: 'is a buffer used again with what the line before has left in it?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      const lengths = [1000, 3, 500, 4, 999, 10, 100, 4, 256, 255, 64, 3, 80, 79, 3, 800, 40];
      const all = [...lengths, ...lengths].map((length, n) => lineOf(1, n, length));
      for (const line of all) await expectEcho(client, line);
      await expectEcho(client, Buffer.concat(all));
      // What is short must also come back alone when the long one has come in two parts. The line in front
      // shows that the first part has been read before the second is sent.
      const inFront = Buffer.from('in front\r\n');
      for (const [n, length] of lengths.entries()) {
        const line = lineOf(2, n, length);
        await client.send(Buffer.concat([inFront, line.subarray(0, length >> 1)]));
        await expectAnswer(client, inFront);
        await client.send(line.subarray(length >> 1));
        await expectAnswer(client, line);
      }
    },
  },
  {
    id: 'lines/every-byte-in-every-place',
    level: 'should',
    title: 'Every byte comes back from every place in a line, and so do sequences with a meaning',
    sentence: ANY_BYTES,
    cause:
      'are some bytes obeyed or dropped (telnet IAC, backspace, escape, NUL, a byte order mark), or text normalised?',
    needs: ['framing/every-byte-value', 'framing/invalid-utf8'],
    async run(scene) {
      const client = await scene.client();
      const places = Array.from({ length: 256 }, (_, byte) => byte)
        .filter((byte) => byte !== 0x0d && byte !== 0x0a) // these have checks of their own
        .flatMap((byte) => [[byte], [byte, 0x61], [0x61, byte], [byte, byte, byte]]);
      const all = [...SEQUENCES, ...places.map((bytes) => Buffer.from(bytes))].map(asLine);
      const said = await conversation(client, all);
      await client.close({ timeout: scene.moment });
      for (const first of [0xff, 0xef, 0xfe, 0x00, 0x16, 0x04]) {
        const newcomer = await scene.client(`begins with byte ${first}`);
        const line = asLine(Buffer.from([first, 0xfb, 0xbf, 0x01]));
        await expectEcho(newcomer, Buffer.concat([line, line]));
        await newcomer.close({ timeout: scene.moment });
      }
      return said;
    },
  },
  {
    id: 'lines/every-order-of-cr-and-lf',
    level: 'should',
    title: 'CR and LF come back in every order, however they are cut',
    sentence: BARE,
    cause: 'does its search forget a CR when another byte follows it, or look at one segment only?',
    needs: ['framing/lone-lf-is-a-byte', 'framing/lone-cr-is-a-byte'],
    async run(scene) {
      const client = await scene.client();
      const orders = ordersOf(['\r', '\n', 'x'], 5);
      const pieces = orders.flatMap((order) => {
        const text = `${order}\r\n`;
        return Array.from({ length: text.length - 1 }, (_, i) => ({ text, cut: i }));
      });
      let done = 0;
      for (const { text, cut } of inTime(pieces, TIME)) {
        // What is complete before the cut comes back, and shows that the server has read up to there.
        const head = Buffer.from(`in front\r\n${text.slice(0, cut)}`);
        const end = head.lastIndexOf('\r\n') + 2;
        await client.send(head);
        await expectAnswer(client, head.subarray(0, end));
        await client.send(text.slice(cut));
        await expectAnswer(
          client,
          Buffer.concat([head.subarray(end), Buffer.from(text.slice(cut))]),
        );
        done++;
      }
      return extent(done, pieces.length, 'orders');
    },
  },
  {
    id: 'lines/lengths',
    level: 'should',
    title: 'Lines of the lengths at which buffers end, up to the limit, whole and cut at their end',
    sentence: PARTIAL,
    cause:
      'is a buffer one or two bytes too small (the terminator, a NUL), or is CR LF missed where a read ends?',
    needs: ['framing/one-line', 'framing/crlf-split-across-segments', 'limits/longest-line'],
    async run(scene) {
      const client = await scene.client();
      const all = lengthsUpTo(scene.target.maxLine);
      let whole = 0;
      for (const length of inTime(all, TIME)) await expectEcho(client, lineOf(1, whole++, length));
      let cut = 0;
      for (const length of inTime(all, TIME)) {
        const n = cut++;
        if (length < 4) continue;
        // The first part alone, as large as it is: its end is where a read ends.
        const first = lineOf(2, n, length);
        await client.send(first.subarray(0, -1));
        await sleep(2);
        await client.send(first.subarray(-1));
        await expectAnswer(client, first);
        const second = lineOf(3, n, length);
        await client.send(second.subarray(0, -2));
        await sleep(2);
        await client.send(second.subarray(-2));
        await expectAnswer(client, second);
      }
      return extent(Math.min(whole, cut), all.length, 'lengths');
    },
  },
  {
    id: 'lines/almost-the-same',
    level: 'should',
    title: 'Lines that differ in one byte, wherever it is, are different lines',
    sentence: ANY_BYTES,
    cause: 'is an answer remembered, and found again by a part of its line, its length or a hash?',
    needs: ['framing/random-lines-32-mib', 'concurrency/second-client-while-first-idles'],
    async run(scene) {
      const clients = await scene.clients(2, 'client');
      const pieces = [40, 1000, 4000, 30_000].flatMap((length) => {
        const line = lineOf(4, length, length);
        const places = Array.from({ length: 20 }, (_, i) => Math.floor(((length - 2) * i) / 20));
        return [line, ...places.map((place) => withOther(line, place)), line];
      });
      let done = 0;
      for (const line of inTime(pieces, TIME)) {
        await expectEcho(clients[done % 2] as Client, line);
        done++;
      }
      return extent(done, pieces.length, 'lines');
    },
  },
  {
    id: 'lines/two-hundred-thousand',
    level: 'should',
    title: '200,000 short lines on one connection come back',
    sentence: ANY_NUMBER,
    cause:
      'is something counted and never begun anew, or CR LF lost where a read ends in the middle of it?',
    needs: [
      'framing/one-line',
      'framing/many-lines-in-one-segment',
      'framing/crlf-split-across-segments',
    ],
    async run(scene) {
      const client = await scene.client();
      const { line } = await paceOf(scene);
      const until = performance.now() + TIME;
      let done = 0;
      // One by one first: something may count what recv returns.
      while (done < 5000 && performance.now() < until - TIME / 2) {
        await expectEcho(client, lineOf(1, done, 2 + (done % 9)));
        done++;
      }
      const most = Math.max(8, Math.min(40_000, Math.floor(500 / line)));
      while (done < 200_000 && performance.now() < until) {
        const some = Array.from({ length: most }, (_, i) =>
          lineOf(2, done + i, 2 + ((i * 7) % 11)),
        );
        await expectEcho(client, Buffer.concat(some));
        done += most;
      }
      return extent(done, 200_000, 'lines');
    },
  },
  {
    id: 'lines/hundred-mebibytes',
    level: 'should',
    title: '100 MiB on one connection come back',
    sentence: ANY_NUMBER,
    cause: 'does a number of bytes overflow, or does what has gone before stay in memory?',
    needs: ['framing/random-lines-32-mib'],
    async run(scene) {
      const client = await scene.client();
      const { byte } = await paceOf(scene);
      const until = performance.now() + 2 * TIME;
      const size = Math.max(4096, Math.min(1024 * 1024, Math.floor(300 / byte)));
      let bytes = 0;
      const all = 100 * 1024 * 1024;
      for (let n = 0; bytes < all && performance.now() < until; n++) {
        const some = linesOf(3, n * 1000, size, 4000);
        await expectEcho(client, some, bytes);
        bytes += some.length;
      }
      return bytes < all ? `${count(bytes)} bytes: more was not tried in 6 s` : undefined;
    },
  },
];

/** The same line with another byte in one place. */
function withOther(line: Buffer, place: number): Buffer {
  const other = Buffer.from(line);
  other[place] = line[place] === 0x21 ? 0x3f : 0x21;
  return other;
}

/** Says one line after the other, as many as there is time for. @returns how many, if not all */
async function conversation(client: Client, all: readonly Buffer[]): Promise<string | undefined> {
  let done = 0;
  for (const line of inTime(all, TIME)) {
    await expectEcho(client, line);
    done++;
  }
  return extent(done, all.length, 'lines');
}

function asLine(content: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(content as string), Buffer.from('\r\n')]);
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** All texts of 1 to `longest` of these signs. */
function ordersOf(signs: readonly string[], longest: number): string[] {
  let last = [''];
  const all: string[] = [];
  for (let length = 1; length <= longest; length++) {
    last = last.flatMap((text) => signs.map((sign) => text + sign));
    all.push(...last);
  }
  return all;
}

/** What fills buffers, two bytes more and less: powers of two and ten, segments; in bytes. */
function lengthsUpTo(longest: number): number[] {
  const round = [10, 100, 1000, 10_000, 50_000, 80, 132, 536, 1448, 1460, 1500, 2000, 20_000];
  const powers = Array.from({ length: 30 }, (_, n) => 2 ** n);
  const around = [...powers, ...round, 3 * 4096, 3 * 16_384, longest].flatMap((size) =>
    [-2, -1, 0, 1, 2].map((more) => size + more),
  );
  const fitting = around.filter((length) => length >= 2 && length <= longest);
  return [...new Set(fitting)].sort((a, b) => a - b);
}

const WORDS = [
  ...[
    'quit',
    'exit',
    'bye',
    'logout',
    'logoff',
    'close',
    'end',
    'stop',
    'shutdown',
    'halt',
    'help',
  ],
  ...[
    'done',
    'disconnect',
    'goodbye',
    'kill',
    'die',
    'panic',
    'crash',
    'restart',
    'reset',
    'reload',
  ],
  ...['ping', 'pong', 'echo', 'echo hello', 'time', 'date', 'stats', 'status', 'version', 'noop'],
  ...['null', 'nil', 'None', 'undefined', 'NaN', 'true', 'false', '0', '-1', '1e400', 'EOF', 'eof'],
  ...['?', ':q', '/quit', '\\q', '.quit', '.exit', ':quit', '/exit', 'exit()', 'exit 0', 'x', 'q'],
  ...[
    '.',
    '..',
    '...',
    'a dot.',
    'dots...',
    ',',
    ';',
    'a;b',
    ':',
    '!',
    '!!',
    '@',
    '#',
    '# comment',
  ],
  ...[' ', '  ', '\t', ' leading', 'trailing ', ' both ', 'two  blanks', '\ttab\t', 'a\tb', ' \t '],
  ...['%s', '%s%s%s%n', '%d', '%x', '%', '%%', '100%', '%0a', '%0D%0A', '$HOME', '$(id)'],
  ...['`id`', '\\', '\\\\', '\\n', '\\r\\n', '\\0', '\\x41', '\\u0041', '"', "'", '""', '"quoted"'],
  ...[
    '<b>&amp;</b>',
    '&lt;',
    '{"a":1}',
    '{}',
    '{0}',
    '{{x}}',
    '[]',
    '|',
    '*',
    '~',
    '~.',
    '^',
    '^C',
  ],
  ...['--', '-', '--help', '//', '/* */', '=', '==', '+', '+++', '+++ATH0', "'; DROP TABLE x; --"],
  ...[
    'MiXeD cAsE',
    'ABC',
    'abc',
    'a'.repeat(300),
    'word '.repeat(60),
    '0'.repeat(70),
    '00',
    '1,000',
  ],
];

/** What other protocols begin with. */
const OPENINGS = ['quit', 'GET / HTTP/1.1', 'EHLO there', 'SSH-2.0-x', 'PROXY TCP4 1.1.1.1 2 3'];

const SEQUENCES = [
  [0xef, 0xbb, 0xbf],
  [0xef, 0xbb, 0xbf, 0x78],
  [0xfe, 0xff],
  [0xff, 0xfe],
  [0xff, 0xfd, 0x06],
  [0xff, 0xfb, 0x01],
  [0xff, 0xf4, 0xff, 0xfd, 0x06],
  [0xff, 0xff],
  [0x78, 0xff, 0xff, 0x78],
  [0xff, 0xfa, 0x18, 0x01, 0xff, 0xf0],
  [0xff, 0xf9],
  [0x78, 0x08, 0x79],
  [0x78, 0x7f, 0x7f],
  [0x1b, 0x5b, 0x32, 0x4a],
  [0x1b, 0x63],
  [0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x78],
  [0x00],
  [0x00, 0x00],
  [0x61, 0x00, 0x62],
  [0x00, 0x61],
  [0x61, 0x00],
  [0x03],
  [0x04],
  [0x1a],
  [0x13, 0x11],
  [0x0b, 0x0c],
  [0x1c, 0x1d, 0x1e, 0x1f],
  [0xc2, 0xa0],
  [0xc2, 0x85],
  [0xe2, 0x80, 0xa8],
  [0xe2, 0x80, 0xa9],
  [0x65, 0xcc, 0x81],
  [0xc3, 0xa9],
  [0xef, 0xbf, 0xbd],
  [0xc0, 0x80],
  [0xed, 0xa0, 0xbd, 0xed, 0xb2, 0xa9],
  [0xf0, 0x9f, 0x92, 0xa9],
  [0x80],
  [0xc3],
  [0xe2, 0x82],
  [0x69, 0xcc, 0x87, 0xc4, 0xb0, 0xc4, 0xb1],
].map((bytes) => Buffer.from(bytes));
