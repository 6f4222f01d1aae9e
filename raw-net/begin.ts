/** How a server on raw sockets begins and ends. */
import { onShutdown } from '../echo/shutdown.ts';
import * as sys from '../sockets/index.ts';
import type { Shared } from './shared.ts';

/**
 * Says where the server listens, and starts its loop. When the loop has ended, the process ends.
 *
 * @param run - the loop; ends when a signal has come and the last client has left
 * @param closeListeners - called at the first SIGINT or SIGTERM: new clients are refused from then on
 */
export function begin(
  shared: Shared,
  listeners: readonly sys.Listener[],
  run: () => Promise<void>,
  closeListeners: () => void = () => close(listeners),
): void {
  const { log } = shared;
  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${shared.connections.size} open`);
    shared.stop();
    closeListeners();
  });
  log.listening(listeners.map(({ at }) => at));
  // Not from inside a module's evaluation, during which no signal handler runs.
  setImmediate(async () => {
    await run();
    await log.flush();
    process.exit(0);
  });
}

function close(listeners: readonly sys.Listener[]): void {
  for (const { fd } of listeners) sys.close(fd);
}
