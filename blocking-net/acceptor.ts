/**
 * The acceptor of a server in which each client has a thread or a process of its own. It accepts a client only
 * when somebody can serve it: whoever has to wait does so in the backlog, and loses nothing.
 *
 * It waits in poll(2), for all listeners and for Node's event loop, in which signals are handled and reports of
 * the others arrive. `isOpen` must depend only on what happens at once when such an event does: what the event loop
 * puts off to its next turn, such as a 'close' event of Node's, would wait for the next wake-up.
 */
import { LISTEN_BACKLOG, LOOPBACK, listenOnAll } from '../echo/addresses.ts';
import type { Log } from '../echo/log.ts';
import type { Options } from '../echo/options.ts';
import * as sys from '../sockets/index.ts';

/** How long nobody is accepted after a call has failed for want of descriptors or memory. */
const RETRY_MS = 1000;
/** How often `isOpen` is asked at least. */
const LOOK_MS = 60_000;

export class Acceptor {
  readonly #listeners: readonly sys.Listener[];
  readonly #log: Log;
  #isStopped = false;
  #retryAt = 0;
  #hasFailed = false;

  private constructor(listeners: readonly sys.Listener[], log: Log) {
    this.#listeners = listeners;
    this.#log = log;
  }

  /**
   * Opens the listeners, on both loopback addresses unless the options name others.
   *
   * @param backlog - how many clients may wait in each; beyond that their kernel has to try again
   * @throws what listenOnAll does
   */
  static async listen(options: Options, log: Log, backlog = LISTEN_BACKLOG): Promise<Acceptor> {
    const listeners = await listenOnAll(
      options,
      LOOPBACK,
      (at, ipv6Only) => sys.openListener(at, backlog, ipv6Only),
      ({ fd }) => sys.close(fd),
    );
    // A client whom poll has announced may have gone, and accept would wait for the next.
    for (const { fd } of listeners) sys.setNonBlocking(fd);
    return new Acceptor(listeners, log);
  }

  /**
   * Accepts until `stop` is called.
   *
   * @param isOpen - whether there is somebody to serve one more client now; asked before each wait
   * @param admit - takes over the descriptor of a client, or returns false when that failed: then it is called again
   *   for this client, before anybody else is accepted
   */
  async run(isOpen: () => boolean, admit: (fd: number) => boolean): Promise<void> {
    if (this.#isStopped) return;
    this.#log.listening(this.#listeners.map(({ at }) => at));
    const table = new sys.PollTable();
    table.add(sys.eventLoopDescriptor(), sys.POLLIN);
    for (const { fd } of this.#listeners) table.add(fd, 0);
    let next: number | undefined; // accepted, but not admitted yet
    const admitNext = () => {
      if (next !== undefined && admit(next)) next = undefined;
    };
    while (!this.#isStopped) {
      const delay = Math.max(0, this.#retryAt - performance.now());
      const mayAdmit = delay === 0 && isOpen();
      for (let i = 1; i < table.length; i++) {
        table.setEvents(i, mayAdmit && next === undefined ? sys.POLLIN : 0);
      }
      const patience = mayAdmit && next !== undefined ? 0 : Math.ceil(delay) || LOOK_MS;
      table.poll(patience); // the only place that waits
      if (mayAdmit) admitNext();
      for (let i = 1; i < table.length; i++) {
        if (next !== undefined || table.revents(i) === 0 || !isOpen()) continue;
        next = this.#accept(table.fd(i));
        admitNext();
      }
      await sys.runEventLoop();
      if (this.#log.isBehind) await sys.runEventLoop();
    }
    if (next !== undefined) sys.close(next);
  }

  /** @returns undefined when there is nobody, or no descriptor */
  #accept(listener: number): number | undefined {
    try {
      const fd = sys.accept(listener);
      if (fd < 0) return undefined;
      this.#hasFailed = false;
      return fd;
    } catch (error) {
      if (!(error instanceof sys.SocketError)) throw error;
      this.pause(error);
      return undefined;
    }
  }

  /** Nobody is accepted for a second, because something has failed. The log says so once. */
  pause({ message }: Error): void {
    if (!this.#hasFailed) this.#log.notice(`no new client for now: ${message}`);
    this.#hasFailed = true;
    this.#retryAt = performance.now() + RETRY_MS;
  }

  /** Closes the listeners: newcomers are refused, and clients in the backlog are reset. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const { fd } of this.#listeners) sys.close(fd);
  }
}
