/** What Linux tells about processes, in /proc (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessStat {
  readonly pid: number;
  /** One letter: R running, S sleeping, Z dead and not yet waited for … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** CPU time of user and kernel together, in clock ticks (mostly 10 ms). */
  readonly ticks: number;
}

/** All processes of a group that are not dead; none where there is no /proc. */
export function processesOf(group: number): ProcessStat[] {
  return allProcesses().filter((one) => one.group === group && one.state !== 'Z');
}

function allProcesses(): ProcessStat[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The command's name, in parentheses, may hold anything: what counts comes after it.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const [state = '', parent, group] = fields;
      const ticks = Number(fields[11]) + Number(fields[12]);
      return [{ pid: Number(name), state, parent: Number(parent), group: Number(group), ticks }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** The number of the system call that a process is in (Linux), or `running`. */
export function systemCallOf(pid: number): string {
  return readFileSync(`/proc/${pid}/syscall`, 'utf8').split(' ')[0]?.trim() ?? '';
}

/** The command line of a process, its arguments separated by spaces; empty when it has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
