/**
 * Looks at a server from outside, hundreds of times a second, and reports what has changed: what its
 * threads wait for, who holds which client, and in which of the kernel's buffers the bytes are.
 *
 * It asks the kernel only: /proc, and netlink. The server needs no part in it, so it can be any.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { escapeBytes } from '../../client/escape.ts';
import { listenersOn, processesOf } from '../../conformance/processes.ts';
import type { SocketAddress } from '../../sockets/address.ts';
import type {
  BufferFact,
  ClientId,
  Entry,
  HolderFact,
  Ms,
  RingState,
  Target,
  Task,
  TaskId,
} from '../trace.ts';
import { Descriptors, type Sockets } from './descriptors.ts';
import { type Question, questionAbout, SockDiag, type SocketState, TCP } from './netlink.ts';
import {
  childrenOf,
  descriptor,
  ownMemory,
  ProcFile,
  parseSchedule,
  programOf,
  stateOf,
} from './proc.ts';
import { isKnown, parseSystemCall } from './system-calls.ts';

/** Every so many looks it searches for threads and processes that nothing else has told of. */
const SEARCH = 10;

/** Milliseconds of CPU after which a thread of a program other than Node is shown. */
const NOTICED = 10;

/** Milliseconds of waiting for a core that are worth a fact. */
const DELAY = 1;

/** Milliseconds without a look that are worth a fact. */
const GAP = 10;

/** Milliseconds of CPU, while a thread stays in the same state, that are worth a fact. */
const CPU = 20;

/** Every so many looks it asks for the server's memory, */
const MEMORY_LOOKS = 25;

/** and a change by so many bytes is worth a fact. */
const MEMORY = 1 << 20;

/** Whether the kernel lists the children of a process (CONFIG_PROC_CHILDREN). */
const TELLS_CHILDREN = existsSync('/proc/thread-self/children');

/** A process of the server. */
interface Process {
  readonly pid: number;
  readonly parent: Process | undefined;
  readonly descriptors: Descriptors;
  readonly isNode: boolean;
  readonly status: ProcFile;
  readonly threads: Map<number, Thread>;
  /** How many threads it had when they were listed last. */
  count: number;
  /** Whether it has, or had, the listener or a client. */
  serves: boolean;
}

/** A thread of the server, shown or not. */
interface Thread {
  readonly process: Process;
  readonly tid: number;
  readonly syscall: ProcFile;
  /** Absent where the kernel does not count (no CONFIG_SCHED_INFO). */
  schedule: ProcFile | undefined;
  task: Task | undefined;
  /** It has said that it is one of the service's. */
  isAnnounced: boolean;
  /** The last state that was reported, as text. */
  last: string;
  /** Milliseconds, as the kernel counts them. */
  cpu: number;
  delay: number;
  /** CPU at the beginning, and when it was reported last. */
  cpuBefore: number;
  cpuTold: number;
}

/** A client's connection. */
interface Connection {
  readonly id: ClientId;
  readonly server: Question;
  readonly client: Question;
  inode: number;
  holders: { readonly process: Process; readonly fd: number }[];
  wasHeld: boolean;
  last: string;
  buffers: BufferFact | undefined;
}

export class Watch {
  readonly #diag = new SockDiag();
  readonly #pid: number;
  readonly #emit: (entry: Entry) => void;
  readonly #processes = new Map<number, Process>();
  readonly #connections = new Map<ClientId, Connection>();
  readonly #sockets = {
    clients: new Map<number, ClientId>(),
    listeners: new Set<number>(),
    version: 0,
  } satisfies Sockets;
  readonly #address: SocketAddress;
  readonly #listener: Question;
  readonly #numbers = { main: 0, process: 0, thread: 0 };
  #ids = 0;
  #looks = 0;
  #backlog = -1;
  #memory = 0;
  /** The sockets of each process, as this look has found them. */
  readonly #socketsOf = new Map<Process, ReadonlyMap<number, number>>();
  #hasChanged = true;
  /** When it looked last, and how long before that. */
  #lookedAt = 0;
  #gap = 0;
  /** Why threads cannot be looked at; undefined: they can. */
  blind: string | undefined;
  /** Milliseconds that the threads which are shown have waited for a core. */
  coreWait = 0;

  /**
   * @param pid - the server's first process, a child of this one
   * @param at - where its clients connect to
   * @param emit - is told of every fact
   */
  constructor(pid: number, at: SocketAddress, emit: (entry: Entry) => void) {
    this.#emit = emit;
    this.#pid = pid;
    this.#address = at;
    // Port 1 on this machine is nobody's: the kernel answers with the listener.
    this.#listener = questionAbout(at, { address: at.address, port: 1 });
    this.blind = whyBlind();
    for (const { inode } of listenersOn(at.port) ?? []) {
      this.#sockets.listeners.add(Number(inode));
    }
    this.#addProcess(pid, undefined);
    this.#discover(true);
  }

  /** From here on a client's connection is looked at. @param port - the client's own */
  addClient(id: ClientId, port: number): void {
    const at = { address: this.#address.address, port };
    const before = this.#connections.get(id);
    if (before) this.#sockets.clients.delete(before.inode);
    this.#connections.set(id, {
      id,
      server: questionAbout(this.#address, at),
      client: questionAbout(at, this.#address),
      inode: 0,
      holders: [],
      wasHeld: false,
      last: '',
      buffers: undefined,
    });
  }

  /** A thread has said itself that it is one of the service's. @returns its task */
  announce(pid: number, tid: number, t: Ms): TaskId | undefined {
    const owner = this.#processes.get(pid) ?? this.#findProcess(pid);
    if (!owner) return undefined;
    const thread = owner.threads.get(tid) ?? this.#addThread(owner, tid);
    thread.isAnnounced = true;
    if (this.#looks > 0) this.#show(thread, t);
    return thread.task?.id;
  }

  /** The process that holds a client; undefined when none does. */
  holderOf(id: ClientId): { readonly pid: number; readonly task: TaskId | undefined } | undefined {
    const [holder] = this.#connections.get(id)?.holders ?? [];
    if (!holder) return undefined;
    const { pid, threads } = holder.process;
    return { pid, task: threads.get(pid)?.task?.id };
  }

  /** Looks once, at the time `t`, and reports what is not as it was. */
  look(t: Ms): void {
    this.#gap = t - this.#lookedAt;
    this.#lookedAt = t;
    this.#discover(this.#looks % SEARCH === 0);
    this.#lookAtListener(t);
    for (const connection of this.#connections.values()) this.#lookAtConnection(connection, t);
    this.#socketsOf.clear();
    this.#hasChanged = false;
    if (this.#looks % MEMORY_LOOKS === 0) this.#lookAtMemory(t);
    const isThorough = this.#looks % SEARCH === 0;
    for (const process of this.#processes.values()) {
      for (const thread of process.threads.values()) {
        if (thread.task !== undefined || isThorough || process.threads.size === 1) {
          this.#lookAtThread(thread, t);
        }
      }
    }
    this.#looks++;
  }

  close(): void {
    this.#diag.close();
    for (const process of this.#processes.values()) this.#dropProcess(process);
  }

  // --- Threads and processes ---------------------------------------------------------------------

  #discover(isThorough: boolean): void {
    for (const process of [...this.#processes.values()]) {
      // A directory has a link from each directory in it, so this counts the threads (and 2).
      let count = 0;
      try {
        count = statSync(`/proc/${process.pid}/task`).nlink;
      } catch {
        // It has ended; its threads will say so.
      }
      if (count !== process.count) this.#listThreads(process, count);
      const parents = isThorough ? [...process.threads.keys()] : [process.pid];
      for (const tid of parents) {
        for (const child of childrenOf(process.pid, tid)) {
          if (!this.#processes.has(child)) this.#addProcess(child, process);
        }
      }
    }
    if (isThorough && !TELLS_CHILDREN) this.#searchGroup();
  }

  /** Where the kernel does not list a process's children: all processes are asked who their parent is. */
  #searchGroup(): void {
    for (const { pid, parent } of processesOf(this.#pid)) {
      const owner = this.#processes.get(parent);
      if (owner && !this.#processes.has(pid)) this.#addProcess(pid, owner);
    }
  }

  #listThreads(process: Process, count: number): void {
    process.count = count;
    for (const tid of threadsOf(process.pid)) {
      if (!process.threads.has(tid)) this.#addThread(process, tid);
    }
  }

  #addProcess(pid: number, parent: Process | undefined): Process {
    const process: Process = {
      pid,
      parent,
      descriptors: new Descriptors(pid, this.#sockets),
      isNode: /^node/.test(programOf(pid)),
      status: new ProcFile(`/proc/${pid}/status`),
      threads: new Map(),
      count: -1,
      serves: parent === undefined,
    };
    this.#processes.set(pid, process);
    this.#addThread(process, pid);
    this.#hasChanged = true;
    this.#sockets.version++;
    return process;
  }

  /** A process that speaks of itself before it was found. */
  #findProcess(pid: number): Process | undefined {
    this.#discover(true);
    return this.#processes.get(pid);
  }

  #dropProcess(process: Process): void {
    process.descriptors.close();
    process.status.close();
    for (const thread of process.threads.values()) closeFiles(thread);
    this.#processes.delete(process.pid);
    this.#hasChanged = true;
  }

  #addThread(process: Process, tid: number): Thread {
    const directory = `/proc/${process.pid}/task/${tid}`;
    const thread: Thread = {
      process,
      tid,
      syscall: new ProcFile(`${directory}/syscall`),
      schedule: new ProcFile(`${directory}/schedstat`),
      task: undefined,
      isAnnounced: false,
      last: '',
      cpu: 0,
      delay: 0,
      cpuBefore: 0,
      cpuTold: 0,
    };
    process.threads.set(tid, thread);
    try {
      const { cpu, delay } = parseSchedule(thread.schedule?.read() ?? '');
      Object.assign(thread, { cpu, delay, cpuBefore: cpu });
    } catch {
      thread.schedule = undefined; // it has ended already, or this kernel does not count
    }
    return thread;
  }

  #show(thread: Thread, t: Ms): Task {
    if (thread.task) return thread.task;
    const { process, tid } = thread;
    const isFirst = tid === process.pid;
    if (!isFirst) this.#showProcess(process, t);
    const parent = isFirst ? process.parent && this.#showProcess(process.parent, t) : undefined;
    const kind = !isFirst ? 'thread' : process.parent ? 'process' : 'main';
    const within = isFirst ? parent : process.threads.get(process.pid)?.task;
    const name = kind === 'thread' && !process.isNode ? ownNameOf(process.pid, tid) : undefined;
    const task: Task = {
      id: String(++this.#ids),
      pid: process.pid,
      tid,
      ...(within ? { parent: within.id } : {}),
      kind,
      number: ++this.#numbers[kind],
      ...(name ? { name } : {}),
      t,
    };
    thread.task = task;
    this.#emit({ task });
    return task;
  }

  #showProcess(process: Process, t: Ms): Task | undefined {
    const first = process.threads.get(process.pid);
    return first && this.#show(first, t);
  }

  #lookAtThread(thread: Thread, t: Ms): void {
    if (this.blind !== undefined && thread.task === undefined) {
      if (thread.process.parent === undefined) this.#show(thread, t);
      return;
    }
    let state: {
      state: string;
      call?: string;
      on?: readonly Target[];
      exact?: boolean;
      ring?: RingState;
      why?: string;
    };
    try {
      this.#account(thread, t);
      state =
        this.blind === undefined ? this.#stateOf(thread) : { state: 'unknown', why: this.blind };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPERM' || code === 'EACCES') {
        this.blind = `the kernel does not let this process look at the server (${code}: ptrace(2), Yama)`;
        state = { state: 'unknown', why: this.blind };
      } else if (code === 'ENOENT' || code === 'ESRCH') {
        state = { state: 'gone' };
      } else {
        state = { state: 'unknown', why: `${code ?? (error as Error).message}` };
      }
    }
    if (!this.#isOfInterest(thread, state)) {
      if (state.state === 'gone') this.#forget(thread);
      return;
    }
    const { id } = this.#show(thread, t);
    const text = JSON.stringify(state);
    if (text !== thread.last) {
      this.#tellCpu(thread, t, 0);
      thread.last = text;
      this.#emit({
        fact: { t, fact: 'state', task: id, ...state } as Extract<Entry, { fact: unknown }>['fact'],
      });
    }
    if (state.state === 'gone') this.#forget(thread);
  }

  /** @throws NodeJS.ErrnoException when it has ended, or may not be looked at */
  #stateOf({ process, tid, syscall }: Thread) {
    const doing = parseSystemCall(syscall.read());
    if (doing.is === 'running') return { state: 'runs' };
    if (doing.is === 'elsewhere') {
      const letter = stateOf(readFileSync(`/proc/${process.pid}/task/${tid}/stat`, 'latin1'));
      if (letter === 'Z' || letter === 'X') return { state: 'gone' };
      if (letter === 'T' || letter === 't') return { state: 'stopped' };
      if (letter === 'R') return { state: 'runs' };
      return { state: 'unknown', why: 'it sleeps, but in no system call' };
    }
    const on = process.descriptors.targets(doing);
    const isEpoll = doing.shape === 'epoll';
    const isExact = !(isEpoll && process.isNode && !process.descriptors.nestsLoop);
    const ring = process.descriptors.ring(doing);
    return {
      ...{ state: 'waits', call: doing.call, on },
      ...(on.length > 0 ? { exact: isExact } : {}),
      ...(ring ? { ring } : {}),
    };
  }

  /** Reads how much CPU it has used, and how long it has waited for a core. */
  #account(thread: Thread, t: Ms): void {
    if (!thread.schedule) return;
    const { cpu, delay } = parseSchedule(thread.schedule.read());
    const waited = delay - thread.delay;
    thread.delay = delay;
    if (thread.task) this.coreWait += waited;
    if (thread.task && waited >= DELAY) {
      // The kernel books the wait when the thread runs again: it lies before this look.
      this.#emit({ fact: { t, fact: 'delay', task: thread.task.id, ms: rounded(waited) } });
    }
    if (thread.task && this.#gap >= GAP && cpu > thread.cpu) {
      this.#emit({ fact: { t, fact: 'gap', task: thread.task.id, ms: rounded(this.#gap) } });
    }
    thread.cpu = cpu;
    if (thread.task) this.#tellCpu(thread, t, CPU);
  }

  #tellCpu(thread: Thread, t: Ms, least: number): void {
    if (!thread.task || thread.cpu - thread.cpuTold < Math.max(least, 0.01)) return;
    thread.cpuTold = thread.cpu;
    const ms = rounded(thread.cpu - thread.cpuBefore);
    if (ms > 0) this.#emit({ fact: { t, fact: 'cpu', task: thread.task.id, ms } });
  }

  /** Whether it has to do with the service: helpers of the runtime (collectors, compilers) have not. */
  #isOfInterest(thread: Thread, state: { state: string; on?: readonly Target[] }): boolean {
    if (thread.task || thread.isAnnounced) return true;
    const { process, tid, cpu, cpuBefore } = thread;
    if (!process.serves) return false;
    if (tid === process.pid) return true;
    if (state.on?.some(({ on }) => on !== 'other' && on !== 'unknown' && on !== 'loop'))
      return true;
    return !process.isNode && cpu - cpuBefore >= NOTICED;
  }

  #forget(thread: Thread): void {
    closeFiles(thread);
    thread.process.threads.delete(thread.tid);
    if (thread.tid === thread.process.pid) this.#dropProcess(thread.process);
  }

  #lookAtMemory(t: Ms): void {
    let bytes = 0;
    for (const { serves, status } of this.#processes.values()) {
      try {
        if (serves) bytes += ownMemory(status.read());
      } catch {
        // It has ended, or may not be looked at.
      }
    }
    if (Math.abs(bytes - this.#memory) < MEMORY) return;
    this.#memory = bytes;
    this.#emit({ fact: { t, fact: 'memory', bytes } });
  }

  // --- Connections ---------------------------------------------------------------------------------

  #lookAtListener(t: Ms): void {
    const found = this.#diag.ask(this.#listener);
    if (found?.state !== TCP.LISTEN) return;
    if (!this.#sockets.listeners.has(found.inode)) {
      this.#sockets.listeners.add(found.inode);
      this.#sockets.version++;
      this.#hasChanged = true;
    }
    if (found.receive === this.#backlog) return;
    this.#backlog = found.receive;
    this.#emit({ fact: { t, fact: 'backlog', clients: found.receive } });
  }

  #lookAtConnection(connection: Connection, t: Ms): void {
    const found = this.#diag.ask(connection.server);
    const isThere = found !== undefined && found.state !== TCP.LISTEN;
    const inode = isThere ? found.inode : 0;
    if (inode !== 0 && inode !== connection.inode) {
      this.#sockets.clients.delete(connection.inode);
      this.#sockets.clients.set(inode, connection.id);
      this.#sockets.version++;
      connection.inode = inode;
      connection.holders = [];
    }
    if (connection.inode !== 0) this.#findHolders(connection);
    this.#tellHolder(connection, isThere ? found : undefined, t);
    this.#lookAtBuffers(connection, isThere ? found : undefined, t);
  }

  /** Which processes have the connection open. Those who had it are asked first. */
  #findHolders(connection: Connection): void {
    const link = `socket:[${connection.inode}]`;
    const { holders } = connection;
    const isSame = holders.every(({ process, fd }) => descriptor(process.pid, fd) === link);
    const isDue = this.#processes.size > 1 && this.#looks % SEARCH === 0;
    if (holders.length > 0 && isSame && !isDue && !this.#hasChanged) return;
    if (holders.length === 0 && connection.wasHeld && !isDue && !this.#hasChanged) return;
    connection.holders = [...this.#processes.values()].flatMap((process) => {
      try {
        const sockets = this.#socketsOf.get(process) ?? Descriptors.sockets(process.pid);
        this.#socketsOf.set(process, sockets);
        if ([...this.#sockets.listeners].some((one) => sockets.has(one))) process.serves = true;
        const fd = sockets.get(connection.inode);
        if (fd === undefined) return [];
        process.serves = true;
        return [{ process, fd }];
      } catch {
        return []; // it has ended, or may not be looked at
      }
    });
  }

  #tellHolder(connection: Connection, found: SocketState | undefined, t: Ms): void {
    const { id, holders, wasHeld } = connection;
    let holder: Pick<HolderFact, 'where' | 'tasks'> | undefined;
    if (holders.length > 0) {
      connection.wasHeld = true;
      const tasks = holders.map(({ process }) => this.#showProcess(process, t)?.id as TaskId);
      holder = { where: 'held', tasks };
    } else if (wasHeld) {
      holder = { where: 'closed' };
    } else if (found && found.inode !== 0) {
      holder = { where: 'unknown' };
    } else if (found?.state === TCP.ESTABLISHED || found?.state === TCP.CLOSE_WAIT) {
      holder = { where: 'backlog' };
    }
    const text = JSON.stringify(holder);
    if (holder === undefined || text === connection.last) return;
    connection.last = text;
    this.#emit({ fact: { t, fact: 'holder', client: id, ...holder } });
  }

  #lookAtBuffers(connection: Connection, server: SocketState | undefined, t: Ms): void {
    const found = this.#diag.ask(connection.client);
    const client = found?.state === TCP.LISTEN ? undefined : found;
    // What has arrived and was not yet acknowledged is in both accounts; it is with the receiver. The
    // client's own SYN was acknowledged as one byte.
    const toServer = server && client ? server.received - (client.acknowledged - 1) : 0;
    const toClient = server && client ? client.received - server.acknowledged : 0;
    const fact: BufferFact = {
      t,
      fact: 'buffers',
      client: connection.id,
      clientSend: within(client?.send ?? 0, toServer),
      serverReceive: server?.receive ?? 0,
      serverSend: within(server?.send ?? 0, toClient),
      clientReceive: client?.receive ?? 0,
    };
    if (connection.buffers && !isWorthTelling(connection.buffers, fact)) return;
    if (!connection.buffers && SIZES.every((size) => fact[size] === 0)) return;
    connection.buffers = fact;
    this.#emit({ fact });
  }
}

const SIZES = ['clientSend', 'serverReceive', 'serverSend', 'clientReceive'] as const;

/** Milliseconds between two facts about the same connection's buffers, when these only grow or shrink. */
const PACE = 10;

/** A buffer that fills up or empties is always told; between, what differs by a tenth, and not too often. */
function isWorthTelling(before: BufferFact, now: BufferFact): boolean {
  const isTurn = SIZES.some((size) => (before[size] === 0) !== (now[size] === 0));
  const isSmall = SIZES.every((size) => now[size] < 65536 && before[size] < 65536);
  const isOther = SIZES.some((size) => before[size] !== now[size]);
  if (!isOther) return false;
  if (isSmall || (isTurn && now.t - before.t >= 1)) return true;
  const isFar = SIZES.some((size) => Math.abs(before[size] - now[size]) > 0.1 * now[size]);
  return isFar ? now.t - before.t >= PACE : now.t - before.t >= 10 * PACE;
}

function within(queued: number, delivered: number): number {
  return Math.max(0, queued - Math.max(0, Math.min(queued, delivered)));
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}

function closeFiles({ syscall, schedule }: Thread): void {
  syscall.close();
  schedule?.close();
}

/** Why nothing can be known about threads on this machine; undefined when it can. */
function whyBlind(): string | undefined {
  if (!isKnown) return `the system calls of ${process.arch} have numbers that are not known here`;
  if (existsSync('/proc/self/syscall')) return undefined;
  return 'this kernel does not tell what a process waits for (no /proc/PID/syscall)';
}

/** What a thread is called, if not as its process is. Node's helpers have names that say nothing here. */
function ownNameOf(pid: number, tid: number): string | undefined {
  const nameOf = (id: number) => readFileSync(`/proc/${pid}/task/${id}/comm`).subarray(0, -1);
  try {
    const name = nameOf(tid);
    return name.equals(nameOf(pid)) ? undefined : escapeBytes(name);
  } catch {
    return undefined; // it has ended
  }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}
