/** What Linux tells about processes and their sockets, in /proc (proc(5)). */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { listeningSocketsAt, readableAddress, socketsAt } from './socket-table.ts';

export interface ProcessStat {
  readonly pid: number;
  /** One letter: R running, S sleeping, Z dead and not yet waited for … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** CPU time of user and kernel together, in clock ticks (mostly 10 ms). */
  readonly ticks: number;
  /** When it started, in clock ticks since the system did. */
  readonly startedAt: number;
}

/** The environment variable by which a server's processes are known, wherever they have gone. */
export const MARK = 'LINE_ECHO_SERVER';

/** The values of {@link MARK}, by the process groups that were started with them. */
const marks = new Map<number, Mark>();

interface Mark {
  readonly value: string;
  readonly since: number;
  /** Processes that are the server's for another reason: they hold its port. */
  readonly adopted: Set<number>;
}

/**
 * Notes that the process group `group` was started with this value of {@link MARK} in its environment.
 * Processes that leave the group (daemons, setsid(2)) are found by it.
 */
export function noteMark(group: number, value: string): void {
  marks.set(group, { value, since: statOf(group)?.startedAt ?? 0, adopted: new Set() });
}

/**
 * All processes of a server that are not dead: those of the group (or session) that was started,
 * what descends from it, and what carries its mark. None where there is no /proc.
 */
export function processesOf(group: number): ProcessStat[] {
  const all = allProcesses();
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const mark = marks.get(group);
  const descends = (pid: number | undefined): boolean =>
    pid !== undefined &&
    pid > 1 &&
    (pid === group || mark?.adopted.has(pid) || descends(parents.get(pid)));
  const isMarked = ({ pid, startedAt }: ProcessStat) =>
    mark !== undefined && startedAt >= mark.since && markOf(pid) === mark.value;
  return all.filter(
    (one) =>
      one.state !== 'Z' &&
      (one.group === group || one.session === group || descends(one.pid) || isMarked(one)),
  );
}

/** The value of {@link MARK} that a process was started with, as far as it may be read. */
function markOf(pid: number): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.find((one) => one.startsWith(`${MARK}=`))?.slice(MARK.length + 1);
  } catch {
    return undefined; // it has ended meanwhile, or is somebody else's
  }
}

/** All processes that a process has started and that are not dead; none where there is no /proc. */
export function childrenOf(parent: number): ProcessStat[] {
  return allProcesses().filter((one) => one.parent === parent && one.state !== 'Z');
}

/**
 * All processes, zombies included; none where there is no /proc.
 *
 * @param but - processes to leave out; those that have ended are removed from it, as their numbers are used again
 */
export function allProcesses(but: Set<number> = new Set()): ProcessStat[] {
  if (!existsSync('/proc/self/stat')) return [];
  const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const pids = new Set(names.map(Number));
  for (const pid of but) if (!pids.has(pid)) but.delete(pid);
  return [...pids].flatMap((pid) => (but.has(pid) ? [] : (statOf(pid) ?? [])));
}

/** @returns undefined where it has ended, and where there is no /proc */
function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in parentheses, may hold anything: what counts comes after it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state = '', parent, group, session] = fields;
    return {
      pid,
      state,
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      ticks: Number(fields[11]) + Number(fields[12]),
      startedAt: Number(fields[19]),
    };
  } catch {
    return undefined;
  }
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

/** A socket that listens. */
export interface Listener {
  /** `127.0.0.1`, `::1`, `0.0.0.0` and `::` as people write them; other addresses as well. */
  readonly address: string;
  readonly inode: string;
}

/**
 * Whether something on this machine listens on a TCP port. On Linux the kernel is asked (proc(5)):
 * to connect would already be a visit, and there are servers that end after their first client.
 */
export async function isListening(port: number): Promise<boolean> {
  const listeners = listenersOn(port);
  if (listeners) return listeners.length > 0;
  return (await answers(port, '127.0.0.1')) || answers(port, '::1');
}

/** The sockets that listen on a TCP port; undefined where the kernel does not tell. */
export function listenersOn(port: number): Listener[] | undefined {
  return listeningSocketsAt(port)?.map(({ address, inode }) => {
    return { address: readableAddress(address), inode };
  });
}

/** Whether connections of a server that has ended still hold its port (TIME_WAIT and the like). */
export function isHeld(port: number): boolean {
  return socketsAt(port)?.some(({ localPort }) => localPort === port) ?? false;
}

/** A descriptor of a process that holds a socket. */
export interface Holding {
  readonly pid: number;
  readonly fd: string;
  readonly inode: string;
}

/** Which of these processes hold one of these sockets, as far as may be read. */
export function holdings(
  inodes: ReadonlySet<string>,
  processes: readonly Pick<ProcessStat, 'pid'>[],
): Holding[] {
  return processes.flatMap(({ pid }) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        const inode = socketOf(pid, fd);
        return inode !== undefined && inodes.has(inode) ? [{ pid, fd, inode }] : [];
      });
    } catch {
      return []; // it has ended meanwhile, or is somebody else's
    }
  });
}

/** Whether a process still holds a socket where it did. */
export function stillHolds({ pid, fd, inode }: Holding): boolean {
  return socketOf(pid, fd) === inode;
}

function socketOf(pid: number, fd: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
  } catch {
    return undefined; // it has been closed meanwhile
  }
}

/** Who listens on a port: the server that was started as `group`, and others. */
export interface Ownership {
  readonly ours: readonly Listener[];
  /** Sockets of other processes of this user. */
  readonly foreign: readonly Listener[];
  readonly holdings: readonly Holding[];
}

/**
 * Tells a server's own listening sockets from those of others. A process that has cleaned its
 * environment and left its parents behind is the server's as well when it started later and
 * carries no other server's mark; so is a socket whose process may not be read (a container's).
 *
 * @returns undefined where the kernel does not tell
 */
export function ownership(port: number, group: number): Ownership | undefined {
  const listeners = listenersOn(port);
  if (!listeners) return undefined;
  const inodes = new Set(listeners.map(({ inode }) => inode));
  const held = holdings(inodes, processesOf(group));
  const left = new Set([...inodes].filter((inode) => !held.some((one) => one.inode === inode)));
  const foreign = new Set<string>();
  if (left.size > 0) {
    const all = allProcesses();
    const since = marks.get(group)?.since ?? 0;
    for (const one of holdings(left, all)) {
      const { startedAt } = all.find(({ pid }) => pid === one.pid) as ProcessStat;
      if (startedAt >= since && since > 0 && markOf(one.pid) === undefined) {
        held.push(one);
        marks.get(group)?.adopted.add(one.pid);
      } else foreign.add(one.inode);
    }
  }
  return {
    ours: listeners.filter(({ inode }) => !foreign.has(inode)),
    foreign: listeners.filter(({ inode }) => foreign.has(inode)),
    holdings: held,
  };
}

/** Whether a connection to an address of this machine is accepted, by a backlog at least. */
function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    socket.once('connect', () => {
      socket.end();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The number of the system call that a process is in (Linux), or `running`. */
export function systemCallOf(pid: number, thread: number | string = pid): string {
  return readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'utf8').split(' ')[0]?.trim() ?? '';
}

/** The command line of a process, its arguments separated by spaces; empty when it has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
