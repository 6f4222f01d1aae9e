/**
 * coroutines: each client has its own program, which reads as if it blocked. The program is a generator. It
 * waits in `yield`, and a scheduler of sixty lines over epoll(7) resumes it: async and await are made of
 * this. The same without options, log, limits and signals is core.ts.
 *
 * When something else ends a client, a timeout for example, an error is thrown into its program, at the
 * `yield` in which it waits.
 */
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { acceptFrom } from '../../raw-net/acceptor.ts';
import { begin } from '../../raw-net/begin.ts';
import { openListeners } from '../../raw-net/listeners.ts';
import * as sys from '../../sockets/index.ts';
import { Client, Tasks } from './client.ts';
import type { Routine } from './scheduler.ts';

const model: Model = { name: 'coroutines', summary: 'a generator for each client, over epoll(7)' };

await main(model, async (options) => {
  const tasks = new Tasks(options);
  const listeners = await openListeners(options);
  let nodeHasEvents = false;

  async function run(): Promise<void> {
    for (const { fd } of listeners) tasks.scheduler.start(fd, listen(fd));
    tasks.scheduler.start(sys.eventLoopDescriptor(), watchNode());
    while (tasks.isServing) {
      tasks.scheduler.turn(tasks.sweepInterval); // the only place where the process waits
      if (tasks.isSweepDue()) for (const each of tasks.connections) each.checkTime();
      if (nodeHasEvents || tasks.log.isBehind) await sys.runEventLoop();
      nodeHasEvents = false;
    }
  }

  /** The program of a listener: it starts a program for each client. */
  function* listen(listener: number): Routine {
    sys.setNonBlocking(listener);
    const start = (fd: number) => tasks.scheduler.start(fd, new Client(fd, tasks).serve());
    while (tasks.stoppedAt === undefined) {
      yield sys.POLLIN; // waits for a client
      if (!acceptFrom(listener, tasks, start)) yield { sleep: 100 }; // then it tries again
    }
  }

  /** The program of Node's own event loop, which has a descriptor, too: so a signal ends the wait. */
  function* watchNode(): Routine {
    for (;;) {
      yield sys.POLLIN;
      nodeHasEvents = true;
    }
  }

  begin(tasks, listeners, run);
});
