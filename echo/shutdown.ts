/**
 * The end, in order: on SIGINT or SIGTERM a server stops accepting, echoes what it has received
 * complete, closes, and exits with 0. A second signal ends it at once.
 */
import os from 'node:os';

/** Milliseconds during which a client that goes on sending is still answered after the signal. */
export const DRAIN = 500;

/** Milliseconds that clients have to take what is owed to them and to close, before they are cut off. */
export const GRACE = 1500;

/**
 * A signal within this many milliseconds of the first is the same one: Ctrl-C reaches the whole
 * process group, and a parent such as tsx passes it on once more.
 */
const SAME_SIGNAL = 100;

/**
 * Calls `stop` once, at the first SIGINT or SIGTERM. A server that holds the event loop for itself
 * must let it run now and then, or the handler never does.
 */
export function onShutdown(stop: (signal: NodeJS.Signals) => void): void {
  let first: number | undefined;
  const handle = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      stop(signal);
    } else if (now - first > SAME_SIGNAL) {
      process.exit(128 + os.constants.signals[signal]);
    }
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
}
