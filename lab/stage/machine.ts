/** On what, and with which version of this project, something was recorded. */
import { execFileSync } from 'node:child_process';
import { machine as architecture, cpus, release, type } from 'node:os';
import type { Machine } from '../trace.ts';

/** @param cores - how many the server may use */
export function machine(cores: number): Machine {
  const revision = commit();
  return {
    system: `${type()} ${release()} ${architecture()}`,
    cpu: cpus()[0]?.model.trim() ?? '',
    cores,
    node: process.version,
    ...(revision ? { commit: revision } : {}),
  };
}

let known: string | undefined;

/** The commit, with `+` when files were changed; '' where there is no repository. */
function commit(): string {
  if (known !== undefined) return known;
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: new URL('../..', import.meta.url),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    // What is recorded itself is no change.
    const changed = git('status', '--porcelain', '--', ':!lab/traces', ':!docs');
    known = git('rev-parse', '--short', 'HEAD') + (changed ? '+' : '');
  } catch {
    known = '';
  }
  return known;
}
