/** What Linux tells about processes and their sockets, in /proc (proc(5)). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

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

/** All processes that a process has started and that are not dead; none where there is no /proc. */
export function childrenOf(parent: number): ProcessStat[] {
  return allProcesses().filter((one) => one.parent === parent && one.state !== 'Z');
}

function allProcesses(): ProcessStat[] {
  if (!existsSync('/proc/self/stat')) return [];
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

/**
 * The memory of a group's processes, in bytes: what is shared counts in proportion (PSS). 0 where the
 * system does not tell.
 */
export function memoryOf(group: number): number {
  return processesOf(group).reduce((sum, { pid }) => {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return sum + 1024 * Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    } catch {
      return sum; // it has ended meanwhile
    }
  }, 0);
}

/** How many descriptors a group's processes have open; undefined where the system does not tell. */
export function descriptorsOf(group: number): number | undefined {
  const counts = processesOf(group).map(({ pid }) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).length;
    } catch {
      return 0; // it has ended meanwhile
    }
  });
  return counts.length > 0 ? counts.reduce((sum, n) => sum + n, 0) : undefined;
}

/**
 * Whether something on this machine listens on a TCP port. On Linux the kernel is asked (proc(5)):
 * to connect would already be a visit, and there are servers that end after their first client.
 */
export async function isListening(port: number): Promise<boolean> {
  const states = socketStatesOn(port);
  return states ? states.includes('0A') : answers(port);
}

/** Whether connections of a server that has ended still hold its port (TIME_WAIT and the like). */
export function isHeld(port: number): boolean {
  return (socketStatesOn(port)?.length ?? 0) > 0;
}

/** The states of all sockets with a local port, in the kernel's numbers; undefined without /proc. */
function socketStatesOn(port: number): string[] | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].filter((file) => existsSync(file));
  if (tables.length === 0) return undefined;
  return tables
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, at = '']) => at.endsWith(local))
    .map(([, , , state = '']) => state);
}

/** Whether a connection to a port of this machine is accepted, by a backlog at least. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.end();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
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
