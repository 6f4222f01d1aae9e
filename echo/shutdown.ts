/**
 * The orderly end: on SIGINT or SIGTERM a server stops accepting, echoes every complete line that it has
 * received, closes, and exits with 0. A second signal ends it at once.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** How long after the signal a client that goes on sending is still answered. */
export const DRAIN_MS = 500;

/** How long after the signal connections that are still open are closed forcibly. */
export const GRACE_MS = 1500;

/** A parent's copy of the first signal is handled at most this long after it. */
const COPY_MS = 100;

/**
 * Calls `stop` once, at the first SIGINT or SIGTERM; a second signal ends the process at once.
 *
 * One Ctrl-C may arrive twice. The terminal signals the whole process group, and a parent in that group, such as
 * tsx or npm, may pass the signal on to its child. So one copy is ignored: the same signal, handled within 0.1 s
 * of the first. A process that leads its own process group has no such parent, and ignores no signal: a shell's
 * job, a service of systemd, the first process of a container.
 *
 * The times are those at which Node handles the signals. Node reports every signal that came while the thread was
 * busy, in order, but not when it came. So under tsx or npm a real second signal during a long computation counts
 * as the copy, and a third one ends the process.
 *
 * A server that blocks the event loop must let it run now and then, or no signal is handled.
 */
export function onShutdown(stop: (signal: NodeJS.Signals) => void): void {
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  let copiesExpected = leadsItsGroup() ? 0 : 1;
  const handle = (signal: NodeJS.Signals) => {
    const at = performance.now();
    if (!first) {
      first = { signal, at };
      stop(signal);
    } else if (copiesExpected > 0 && signal === first.signal && at - first.at <= COPY_MS) {
      copiesExpected--;
    } else {
      process.exit(128 + os.constants.signals[signal]);
    }
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
}

/** Whether this process leads its process group (proc(5), the field `pgrp`); false where the system does not say. */
function leadsItsGroup(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(group) === process.pid;
  } catch {
    return false;
  }
}
