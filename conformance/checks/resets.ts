/** Clients that leave without a word. */
import type { Check } from '../check.ts';
import { blockOfLines, expectAnswer, expectEcho, expectService } from '../expect.ts';

const NOTHING_ENDS_IT = 'Nothing a client does ends the server or another connection.';

export const resets: readonly Check[] = [
  {
    id: 'resets/mid-line',
    level: 'should',
    title: 'A reset in the middle of a line',
    sentence: NOTHING_ENDS_IT,
    cause: 'is ECONNRESET from recv an error that ends the server?',
    needs: ['framing/one-line'],
    async run(scene) {
      for (let i = 0; i < 20; i++) {
        const client = await scene.client(`resets ${i}`);
        // The line in front shows that half of the next has been read: the reset comes on top.
        await client.send('accepted\r\nhalf a li');
        await expectAnswer(client, 'accepted\r\n');
        await client.reset();
      }
      await expectService(scene, 'after resets in the middle of a line');
    },
  },
  {
    id: 'resets/mid-answer',
    level: 'should',
    title: 'A reset while the answer is under way',
    sentence: NOTHING_ENDS_IT,
    cause: 'does send to a client that is gone end the server: EPIPE, or SIGPIPE unhandled?',
    needs: ['framing/one-line'],
    async run(scene) {
      for (let i = 0; i < 5; i++) {
        const client = await scene.client(`resets ${i}`);
        await expectEcho(client, 'accepted\r\n');
        client.pause();
        await client.flood(blockOfLines(), { limit: 16 * 1024 * 1024, stall: scene.moment });
        await client.reset();
      }
      await expectService(scene, 'after resets in the middle of an answer');
    },
  },
  {
    id: 'resets/connect-and-vanish',
    level: 'should',
    title: 'Clients that connect and vanish at once',
    sentence: NOTHING_ENDS_IT,
    cause: 'is an error from accept, or from a connection that is gone already, taken for fatal?',
    needs: ['framing/one-line'],
    async run(scene) {
      for (let i = 0; i < 50; i++) {
        const client = await scene.client(`vanishes ${i}`);
        await (i % 2 === 0 ? client.reset() : client.destroy());
      }
      await expectService(scene, 'after clients that vanished');
    },
  },
];
