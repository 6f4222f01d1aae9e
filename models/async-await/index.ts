/**
 * async-await: each client has an async function of its own, which waits in `await`. The program is that of
 * `blocking`, once for each client: it reads from top to bottom, and where the function stands is all that
 * has to be known about the client. The same without options, log, limits and signals is core.ts.
 *
 * An `await` does not block the thread. It puts the function aside, and Node's event loop continues it when
 * there is something to continue with. So all waits look alike, and one AbortSignal for each client ends
 * those that its departure would leave without an end: for lines, for room, for time to pass.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { linesOf } from '../../echo/framing.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { GRACE_MS } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import {
  acceptClients,
  runUntilSignal,
  Semaphore,
  sendAll,
  Turns,
  watchIdle,
} from '../../node-net/index.ts';
import { Client } from './client.ts';

const model: Model = { name: 'async-await', summary: 'an async function for each client' };

await main(model, async (options) => {
  const log = new Log(options);
  const { work, wait, endOfLine } = options;
  const speed = work > 0 ? measureSpeed() : 0;
  const linesCost = work > 0 || wait > 0;
  const turns = new Turns();
  const semaphore = new Semaphore(options.maxConnections);
  const clients = new Set<Client>();
  /** The promises of the functions that run. */
  const tasks = new Set<Promise<void>>();

  /** Starts a task and does not await it: the tasks run side by side. */
  function start(socket: Socket, release: () => void): void {
    const client = new Client(socket, options, log);
    clients.add(client);
    const task = serve(client).finally(() => {
      clients.delete(client);
      tasks.delete(task);
      release(); // gives the semaphore its permit back
    });
    tasks.add(task);
  }

  /** Serves one client to its end. It waits at each `await`, and nowhere else. */
  async function serve(client: Client): Promise<void> {
    try {
      for await (const lines of client) {
        if (linesCost) await answerEach(client, lines);
        else if (!sendAll(client.socket, lines)) await client.room();
      }
      await client.finish();
    } catch (error) {
      if (!client.socket.destroyed) throw error; // a bug; otherwise the client has left, or was too slow
    }
  }

  /** With --work or --wait: answers the lines one by one, so that other clients are served in between. */
  async function answerEach(client: Client, lines: readonly Buffer[]): Promise<void> {
    const { signal } = client;
    for (const line of linesOf(Buffer.concat(lines), endOfLine)) {
      await turns.next();
      signal.throwIfAborted();
      if (work > 0) burn(line, work, speed);
      if (wait > 0) await sleep(wait, undefined, { signal });
      if (!sendAll(client.socket, [line])) await client.room();
    }
  }

  const listeners = await acceptClients(options, log, start, { admission: semaphore });
  const idleTimer = await watchIdle(clients, options.idleTimeout);

  /** Ends every task in order; after `GRACE_MS` by its signal. */
  async function stop(): Promise<void> {
    for (const { server } of listeners) server.close();
    for (const client of clients) client.stop();
    const all = Promise.all(tasks);
    await Promise.race([all, sleep(GRACE_MS)]);
    for (const client of clients) client.destroy('the server stops');
    await all;
    clearInterval(idleTimer);
  }

  const addresses = listeners.map(({ at }) => at);
  runUntilSignal({ addresses, stop, open: () => clients.size }, log);
});
