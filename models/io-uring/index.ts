/**
 * io-uring: one loop hands over operations, and is told when they are done. This is the proactor pattern:
 * completion instead of readiness. The same without options, log, limits and signals is core.ts.
 *
 * Every other loop asks when it may receive or send, and then does it. This one says what is to be done, and
 * the kernel does it when it can: accept from now on, receive into one of these buffers, send this and then
 * receive again. A busy server makes one system call, io_uring_enter(2), again and again: it carries what all
 * clients have to do next, and returns with what has been done for any of them.
 */
import { getSystemErrorName } from 'node:util';
import { LISTEN_BACKLOG, LOOPBACK, listenOnAll } from '../../echo/addresses.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';
import { ACCEPT, CANCEL, Client, EVENT_LOOP, Rings } from './client.ts';

/** There is no room for a new connection. */
const OUT_OF_DESCRIPTORS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

const model: Model = { name: 'io-uring', summary: 'one loop over io_uring serves all clients' };

await main(model, async (options) => {
  const log = new Log(options);
  const rings = new Rings(options, log);
  const { ring, queue } = rings;
  const listeners = await listenOnAll(
    options,
    LOOPBACK,
    (at, ipv6Only) => sys.openListener(at, LISTEN_BACKLOG, ipv6Only),
    ({ fd }) => sys.close(fd),
  );
  const clients = new Map<number, Client>();
  let ids = 0;
  /** Listeners that are open, and those of them from which nothing is accepted for now. */
  let listening = listeners.length;
  const paused = new Set<number>();
  const eventLoop = sys.eventLoopDescriptor();

  async function run(): Promise<void> {
    for (const { fd } of listeners) ring.accept(fd, ACCEPT, fd);
    ring.poll(eventLoop, sys.POLLIN, EVENT_LOOP, 0);
    while (listening > 0 || clients.size > 0) {
      ring.submitAndWait(timeout()); // the only place that waits
      let hasEvents = false;
      while (ring.next()) {
        if (ring.kind === ACCEPT) accepted(ring.data, ring.result, ring.hasMore);
        else if (ring.kind === EVENT_LOOP) hasEvents = true;
        else if (ring.kind !== CANCEL) attend(ring.data, done);
      }
      if (rings.sweepInterval < Infinity) sweep();
      queue.shift()?.answerLine();
      if (hasEvents || log.isBehind) await sys.runEventLoop();
      if (hasEvents) ring.poll(eventLoop, sys.POLLIN, EVENT_LOOP, 0);
    }
    await log.flush();
    process.exit(0);
  }

  /** One accept goes on by itself until it fails: each result is a new client. */
  function accepted(listener: number, result: number, hasMore: boolean): void {
    if (result >= 0) admit(result);
    if (hasMore) return;
    const error = result < 0 ? getSystemErrorName(result) : '';
    if (rings.stoppedAt !== undefined) {
      closeListener(listener); // not before: as long as an accept is in flight, the port is taken
    } else if (OUT_OF_DESCRIPTORS.has(error)) {
      rings.cannotAccept(`accept ${error}`);
      paused.add(listener);
    } else {
      ring.accept(listener, ACCEPT, listener);
    }
  }

  function admit(fd: number): void {
    const entry = rings.admit(fd, clients.size);
    if (!entry) return;
    ids = (ids + 1) >>> 0;
    const client = new Client(ids, fd, rings, entry);
    clients.set(ids, client);
    client.receive();
  }

  /** Lets a client do what follows, if it is still there. */
  function attend(id: number, act: (client: Client) => void): void {
    const client = clients.get(id);
    if (!client) return;
    try {
      act(client);
    } catch (error) {
      if (!(error instanceof sys.SocketError)) throw error;
      client.close(error.code);
    }
    if (!client.closed) return;
    clients.delete(id);
    resume();
  }

  function resume(): void {
    if (rings.stoppedAt !== undefined) return;
    for (const fd of paused) ring.accept(fd, ACCEPT, fd);
    paused.clear();
  }

  function closeListener(fd: number): void {
    sys.close(fd);
    listening--;
  }

  /** Milliseconds until the next deadline that is no operation; -1 for never. */
  function timeout(): number {
    if (queue.length > 0) return 0;
    return rings.sweepInterval < Infinity ? Math.ceil(rings.sweepInterval) : -1;
  }

  /** Looks at the clock for everybody. */
  function sweep(): void {
    const now = performance.now();
    if (!rings.isSweepDue(now)) return;
    resume();
    for (const id of [...clients.keys()]) attend(id, (client) => client.checkTime(now));
  }

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${clients.size} open`);
    rings.stop();
    for (const { fd } of listeners) {
      if (paused.has(fd)) closeListener(fd);
      else ring.cancel(fd, CANCEL, 0);
    }
  });

  log.listening(listeners.map(({ at }) => at));
  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(run);
});

function done(client: Client): void {
  client.done();
}
