/**
 * events: nobody waits, because Node's event loop calls back. This is the way that every Node programmer
 * knows: a function for each event. The same without options, log, limits and signals is core.ts.
 *
 * The loop sleeps in epoll_wait(2) for all sockets at once. A function that it calls must not wait: it does
 * what can be done now, and says which function is to be called later. So what comes after a wait is always
 * in another function, and nothing here is a promise.
 */
import { linesOf } from '../../echo/framing.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import { type Connection, runUntilSignal, sendAll, serve, Turns } from '../../node-net/index.ts';

const model: Model = { name: 'events', summary: 'callbacks from Node’s event loop' };

await main(model, async (options) => {
  const log = new Log(options);
  const { work, wait, endOfLine } = options;
  const speed = work > 0 ? measureSpeed() : 0;
  const linesCost = work > 0 || wait > 0;
  const turns = new Turns();

  function onConnection(client: Connection): void {
    client.socket.on('data', (chunk) => {
      const lines = client.framer.push(chunk);
      if (linesCost) {
        client.hold();
        answerEach(client, linesOf(Buffer.concat(lines), endOfLine));
      } else if (sendAll(client.socket, lines)) {
        client.settle();
      } else {
        client.hold(); // pauses the socket. This is the backpressure
        client.socket.once('drain', () => client.settle()); // resumes it
      }
    });
  }

  /**
   * With --work or --wait: answers the lines one by one. It would be a loop if it could wait. As it can't,
   * the last callback for a line calls this function for the next.
   */
  function answerEach(client: Connection, lines: Iterator<Buffer, void>): void {
    const { done, value: line } = lines.next();
    if (done) {
      client.settle();
      return;
    }
    turns.call(() => {
      if (!client.isOpen) return; // nobody cancels a callback: each asks whether its client is still there
      if (work > 0) burn(line, work, speed);
      if (wait > 0) setTimeout(send, wait);
      else send();
    });

    function send(): void {
      if (!client.isOpen) return;
      if (sendAll(client.socket, [line as Buffer])) answerEach(client, lines);
      else client.socket.once('drain', () => answerEach(client, lines));
    }
  }

  runUntilSignal(await serve(options, log, onConnection), log);
});
