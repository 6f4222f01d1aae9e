/** Where a run takes place. The machine's name is left out on purpose. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { cores } from './processes.ts';

/** The machine, its kernel, Node, and the commit that is checked out. */
export function environment() {
  const git = (...args: string[]) =>
    spawnSync('git', args, { cwd: new URL('..', import.meta.url), encoding: 'utf8' }).stdout ?? '';
  return {
    commit: git('rev-parse', '--short', 'HEAD').trim() || 'unknown',
    dirty: git('status', '--porcelain', '--untracked-files=no').trim() !== '',
    machine: {
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: cores.length,
      memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    },
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
  };
}

/** How many descriptors a process may open; Node raises its own limit to that when it starts. */
export function descriptorLimit(): number {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(text)?.[1];
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}
