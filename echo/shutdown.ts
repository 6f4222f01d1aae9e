/**
 * The end, in order: on SIGINT or SIGTERM a server stops accepting, echoes what it has received
 * complete, closes, and exits with 0. A second signal ends it at once.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** How long a client that goes on sending is still answered after the signal. */
export const DRAIN_MS = 500;

/** How long clients may take to read what they are owed and to close, before they are cut off. */
export const GRACE_MS = 1500;

/** How soon after the first signal a parent's copy of it is handled, at the latest. */
const COPY_MS = 100;

/**
 * Calls `stop` once, at the first SIGINT or SIGTERM; a second signal ends the process at once.
 *
 * One Ctrl-C may arrive twice. The terminal signals the whole process group, and a parent in that group,
 * such as tsx or npm, may pass the signal on to its child. So one copy is ignored: the same signal,
 * handled within 0.1 s of the first, in a process that has such a parent. A process that leads its own
 * group has none: a shell's job, a service of systemd, the first process of a container.
 *
 * Times are those at which Node handles the signals. Node reports every signal that came while the
 * thread was busy, and in order, but not when it came. So under tsx or npm a real second signal during a
 * long computation is taken for the copy, and the third ends the process.
 *
 * A server that keeps the event loop from running must let it run now and then, or no signal is handled.
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

/** Whether this process leads its process group (proc(5), the field `pgrp`); false where nobody can tell. */
function leadsItsGroup(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(group) === process.pid;
  } catch {
    return false;
  }
}
