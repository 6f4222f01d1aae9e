/** The end of input: what is complete goes back, then the server closes. */
import { isSupported } from '../../sockets/index.ts';
import type { Check } from '../check.ts';
import { blockOfLines, expectAnswer, expectEnd } from '../expect.ts';

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
      const narrow = isSupported ? { receiveBuffer: 4096 } : {};
      // The server's output must still be on its side when the FIN comes: a narrow client, many sizes.
      for (let size = 2; size <= 512; size = Math.ceil(1.5 * size)) {
        const client = await scene.client('late reader', { reading: false, ...narrow });
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
];
