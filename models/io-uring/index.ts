/**
 * io-uring: one loop hands over operations, and is told when they are done. This is the proactor pattern:
 * completion instead of readiness. The same without options, log, limits and signals is core.ts.
 *
 * Every other loop asks when it can receive or send, and then does it. This one says what to do, and the kernel
 * does it as soon as it can: accept from now on, receive into one of these buffers, send this and then receive
 * again. A busy server makes one system call again and again, io_uring_enter(2). The call carries what to do
 * next for all clients, and returns with what has been done for any of them.
 */
import { getSystemErrorName } from 'node:util';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { begin } from '../../raw-net/begin.ts';
import { openListeners } from '../../raw-net/listeners.ts';
import * as sys from '../../sockets/index.ts';
import { ACCEPT, CANCEL, Client, EVENT_LOOP, Rings } from './client.ts';

/** There is no room for a new connection. */
const OUT_OF_DESCRIPTORS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

// Made once: the loop allocates nothing for a completion.
const done = (client: Client) => client.done();
const checkTime = (client: Client) => client.checkTime();
const answerLine = (client: Client) => client.answerLine();

const model: Model = { name: 'io-uring', summary: 'one loop over io_uring serves all clients' };

await main(model, async (options) => {
  const rings = new Rings(options);
  const { ring, queue } = rings;
  const listeners = await openListeners(options);
  /** Listeners with an accept in flight. Their port is taken, even when the process has ended. */
  const accepting = new Set<number>();
  const eventLoop = sys.eventLoopDescriptor();

  async function run(): Promise<void> {
    accept();
    ring.poll(eventLoop, sys.POLLIN, EVENT_LOOP, 0);
    while (rings.isServing || accepting.size > 0) {
      ring.submitAndWait(rings.timeout(queue.length > 0 ? 0 : Infinity)); // the only place that waits
      let hasEvents = false;
      while (ring.next()) {
        if (ring.kind === ACCEPT) accepted(ring.data, ring.result, ring.hasMore);
        else if (ring.kind === EVENT_LOOP) hasEvents = true;
        else attend(rings.connections.of(ring.data), done);
      }
      if (rings.isSweepDue()) {
        accept();
        for (const each of rings.connections) attend(each, checkTime);
      }
      attend(queue.shift(), answerLine);
      if (hasEvents || rings.log.isBehind) await sys.runEventLoop();
      if (hasEvents) ring.poll(eventLoop, sys.POLLIN, EVENT_LOOP, 0);
    }
  }

  /** Accepts from each listener. One accept goes on by itself until it fails: each result is a new client. */
  function accept(): void {
    if (rings.stoppedAt !== undefined) return;
    rings.isPaused = false;
    for (const { fd } of listeners) {
      if (!accepting.has(fd)) ring.accept(fd, ACCEPT, fd);
      accepting.add(fd);
    }
  }

  function accepted(listener: number, result: number, hasMore: boolean): void {
    if (result >= 0 && rings.admit(result)) new Client(result, rings).receive();
    if (hasMore) return;
    accepting.delete(listener);
    const error = result < 0 ? getSystemErrorName(result) : '';
    if (rings.stoppedAt !== undefined) {
      sys.close(listener);
    } else if (OUT_OF_DESCRIPTORS.has(error)) {
      rings.cannotAccept(`accept ${error}`);
      rings.isPaused = true;
    } else {
      accept();
    }
  }

  /** Lets a client do what follows. */
  function attend(client: Client | undefined, act: (client: Client) => void): void {
    if (!client) return;
    try {
      act(client);
    } catch (error) {
      if (!(error instanceof sys.SocketError)) throw error;
      client.close(error.code);
    }
    if (client.closed && rings.isPaused) accept();
  }

  begin(rings, listeners, run, () => {
    for (const { fd } of listeners) {
      if (accepting.has(fd)) ring.cancel(fd, CANCEL, 0);
      else sys.close(fd);
    }
  });
});
