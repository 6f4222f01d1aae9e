/** The end of input: what is complete goes back, then the server closes. */
import type { Check, Scene } from '../check.ts';
import { blockOfLines, expectAnswer, expectEcho, expectEnd, NARROW } from '../expect.ts';
import { paceOf } from '../pace.ts';

const HALF_CLOSE =
  "After the client's FIN every complete line still goes back, then the server closes.";

export const halfClose: readonly Check[] = [
  {
    id: 'half-close/answers-after-fin',
    level: 'should',
    title: 'Lines sent just before the FIN are answered',
    sentence: HALF_CLOSE,
    cause:
      'does it close as soon as recv returns 0, with lines still to be answered? (In Node: allowHalfOpen)',
    needs: ['framing/one-line'],
    async run(scene) {
      for (const lines of ['x\r\n', 'x\r\n'.repeat(500), `${'y'.repeat(50_000)}\r\n`]) {
        const client = await scene.client();
        await client.send(lines);
        await client.halfClose();
        await expectEnd(client, Buffer.from(lines));
      }
    },
  },
  {
    id: 'half-close/output-is-not-lost',
    level: 'should',
    title: 'Much output is still delivered after the FIN, to a client that reads late',
    sentence: HALF_CLOSE,
    cause:
      'does it close the socket while output is still in its own buffers, or with unread input, which resets?',
    needs: ['half-close/answers-after-fin'],
    async run(scene) {
      // The server's output must still be on its side when the FIN comes: a narrow client, many sizes.
      const { byte } = await paceOf(scene);
      for (let size = 2; size <= 512; size = Math.ceil(1.5 * size)) {
        if (size > 2 && size * 1009 * byte > 2000) break; // more would take a slow server too long
        const client = await scene.client('late reader', { reading: false, ...NARROW });
        const bytes = blockOfLines(size);
        const sending = client.send(bytes).then(() => client.halfClose());
        await scene.quiet();
        client.resume();
        await expectEnd(client, bytes);
        await sending;
      }
    },
  },
  {
    id: 'half-close/tail-is-dropped',
    level: 'should',
    title: 'An unfinished line at the end of input is not echoed',
    sentence: 'At end of input an unterminated tail is dropped.',
    cause: 'does it echo what is left in its buffer at the end of input?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      await client.send('whole\r\nunfinished');
      await client.halfClose();
      await expectEnd(client, Buffer.from('whole\r\n'));
      const silent = await scene.client();
      await silent.send('unfinished\r');
      await silent.halfClose();
      await expectEnd(silent, Buffer.alloc(0));
    },
  },
  {
    id: 'half-close/tail-with-lone-ends-is-dropped',
    level: 'should',
    title: 'An unfinished line with a lone CR or LF in it, or at its end, is not echoed either',
    sentence: 'At end of input an unterminated tail is dropped.',
    cause:
      'does it take a lone LF, or a lone CR, for the end of the last line when the input ends?',
    needs: ['half-close/tail-is-dropped', 'framing/lone-lf-is-a-byte', 'framing/lone-cr-is-a-byte'],
    async run(scene) {
      for (const tail of ['unix\n', '\n', '\r', 'old mac\r', 'two\nof them\n', 'a\n\r', 'b\r\r']) {
        for (const whole of ['whole\r\n', '']) {
          const client = await scene.client(`leaves ${JSON.stringify(tail)}`);
          await client.send(whole + tail);
          await client.halfClose();
          await expectEnd(client, Buffer.from(whole));
        }
      }
    },
  },
  {
    id: 'half-close/nothing-sent',
    level: 'should',
    title: "A client that sends nothing but its FIN gets the server's",
    sentence: HALF_CLOSE,
    cause: 'does it not notice the end of input (recv returns 0), and keep the connection?',
    needs: ['framing/one-line'],
    async run(scene) {
      const client = await scene.client();
      await client.halfClose();
      await expectEnd(client, Buffer.alloc(0));
      const second = await scene.client();
      await second.send('after that\r\n');
      await expectAnswer(second, 'after that\r\n');
    },
  },
  {
    id: 'half-close/again-and-again',
    level: 'should',
    title: 'However much comes right before the FIN, and however it is read, nothing is lost',
    sentence: HALF_CLOSE,
    cause:
      'is the end of input taken for the end of output now and then: when some of it is still pending, or after a time?',
    needs: [
      'half-close/answers-after-fin',
      'half-close/tail-is-dropped',
      'concurrency/second-client-while-first-idles',
    ],
    async run(scene) {
      const { byte } = await paceOf(scene);
      const until = performance.now() + 5000;
      const readsVeryLate = halfClosed(scene, 300, 'very late', 1000);
      readsVeryLate.catch(() => undefined);
      let tries = 1;
      for (const lines of SIZES) {
        if (performance.now() > until || lines * 1009 * byte > 1500) continue;
        const ways = ['at once', 'late', 'sips', 'tail'] as const;
        await Promise.all(ways.map((way) => halfClosed(scene, lines, way, 30)));
        tries += ways.length;
      }
      await readsVeryLate;
      return `${tries} times`;
    },
  },
];

/** In lines: some are more than the kernel keeps for a narrow client, and some are less. */
const SIZES = [1, 60, 3, 144, 8, 90, 233, 2, 120, 21, 55, 5, 70, 13, 34, 89, 4, 30];

/** By which bytes that went to the wrong client can be told. */
const FILLS = { 'at once': 'a', late: 'l', 'very late': 'v', sips: 's', tail: 't' } as const;

/** Sends lines and the FIN right behind them, and expects the lines and the server's FIN. */
async function halfClosed(
  scene: Scene,
  lines: number,
  way: keyof typeof FILLS,
  wait: number,
): Promise<void> {
  const narrow = way === 'at once' ? {} : NARROW;
  const client = await scene.client(`${way}, ${lines} lines`, narrow);
  const first = Buffer.from('accepted\r\n');
  if (way !== 'at once') await expectEcho(client, first);
  const bytes = blockOfLines(lines, FILLS[way]);
  if (way !== 'at once') client.pause();
  const tail = way === 'tail' ? 'unfinished' : '';
  const sending = client.send(Buffer.concat([bytes, Buffer.from(tail)]));
  const leaving = client.halfClose();
  for (const one of [sending, leaving]) one.catch(() => undefined); // what comes back tells more
  if (way !== 'at once' && way !== 'sips') await scene.settle(wait);
  for (let sips = 0; way === 'sips' && sips < 20; sips++) {
    client.resume();
    await scene.settle(1);
    client.pause();
  }
  client.resume();
  await expectEnd(client, bytes);
}
