/** Takes a server's descriptors away for a while: prlimit(1) changes the limit of a process that runs. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { Unsupported } from './check.ts';
import { descriptorLimitOf } from './footprint.ts';

const run = promisify(execFile);

/** How many descriptors a process has open. @throws Unsupported where the system does not tell */
export function descriptorsOf(pid: number): number {
  return numbersOf(pid).size;
}

/**
 * Leaves a process so many free descriptors: its soft limit (RLIMIT_NOFILE, getrlimit(2)) is lowered. The limit
 * is on their numbers, and the free numbers below it count.
 *
 * @returns what gives the process its old limit back
 * @throws Unsupported where that cannot be done
 */
export async function leaveDescriptors(pid: number, free: number): Promise<() => Promise<void>> {
  const before = descriptorLimitOf(pid);
  if (before === undefined) throw new Unsupported('this system does not tell (no /proc)');
  const used = numbersOf(pid);
  let limit = 0;
  for (let left = free; left > 0 || used.has(limit); limit++) if (!used.has(limit)) left--;
  if (limit > before) throw new Unsupported('its limit is lower already');
  await setLimit(pid, limit);
  return () => setLimit(pid, before);
}

async function setLimit(pid: number, limit: number): Promise<void> {
  try {
    await run('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);
  } catch (error) {
    throw new Unsupported(`prlimit(1) cannot change its limit: ${(error as Error).message}`);
  }
}

function numbersOf(pid: number): Set<number> {
  try {
    return new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  } catch {
    throw new Unsupported('the process that listens on the port cannot be looked at from here');
  }
}
