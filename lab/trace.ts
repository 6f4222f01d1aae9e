/**
 * A trace: what one server and its clients did during one lesson, as it was seen from outside.
 *
 * A trace is JSON. Everything in it is a fact with a time, and each says only what has changed since
 * the fact before: so it can be stored, sent piece by piece while it happens (`Entry`), and drawn from
 * either. What could not be seen is said (`unknown`, `blind`), never guessed.
 *
 * This file knows nothing of Linux, of TCP or of a page, and runs in a browser as well.
 */

/** The version of this format; a reader refuses any other. */
export const TRACE_FORMAT = 1;

/**
 * Milliseconds since the trace began, on CLOCK_MONOTONIC (clock_gettime(2)), which all processes of a
 * machine share. Up to three decimals; what was set up before the beginning has time 0.
 */
export type Ms = number;

/** A client: `A`, `B`, `C` … */
export type ClientId = string;

/** A thread of the server, or a process with one thread: `1`, `2` … in the order they were seen. */
export type TaskId = string;

export interface Trace {
  readonly format: typeof TRACE_FORMAT;
  /** The lesson's id; `live` for what somebody did by hand. */
  readonly lesson: string;
  /** The model's folder in `models/`, or the command that started another server. */
  readonly model: string;
  /** What the server was started with, besides its port: `['--work', '200']`. */
  readonly args: readonly string[];
  /** How long it lasted. */
  duration: Ms;
  /** What people call the clients: `{ A: 'Anna' }`. */
  readonly names: Readonly<Record<ClientId, string>>;
  readonly machine: Machine;
  quality: Quality;
  /** What could not be seen at all, and why. */
  readonly blind: Blind;
  readonly tasks: Task[];
  /** What the clients did, and what happened to them. In order of time. */
  readonly events: Event[];
  /** What the witness saw. In order of time, but for `delay`, which is known only when it is over. */
  readonly facts: Fact[];
  /** Which line a thread was paying for; empty for servers that are not of this collection. */
  readonly inside: Inside[];
}

export interface Machine {
  /** `Linux 6.8.0 x64`. */
  readonly system: string;
  /** As the kernel names it; may be empty. */
  readonly cpu: string;
  /** How many cores the server could use. */
  readonly cores: number;
  /** `v20.20.2`. */
  readonly node: string;
  /** The commit of this project, abbreviated, with `+` when files were changed; absent where unknown. */
  readonly commit?: string;
}

/** How much this trace can be trusted. */
export interface Quality {
  /** How often the witness looked. */
  looks: number;
  /** The longest time between two looks, in milliseconds: what was shorter may have been missed. */
  longestGap: number;
  /** Half of the gaps between two looks are shorter, in milliseconds. */
  medianGap: number;
  /** Milliseconds that the server's threads together were ready and waited for a core. */
  coreWait: number;
  /** How late the latest step of the script was played, in milliseconds. */
  lateness: number;
  /** When it was recorded, `2026-11-21`; absent in a trace that is still growing. */
  recorded?: string;
  /** Of how many recordings this was the quietest. */
  runs?: number;
  /** Why it would not have passed the gate for recordings, in a few words each; absent: it has passed. */
  noise?: readonly string[];
}

/** What could not be seen, each with the reason in one sentence. An absent field was seen. */
export interface Blind {
  /** What threads and processes do. */
  readonly tasks?: string;
  /** The backlog, who holds a client, and the kernel's buffers. */
  readonly sockets?: string;
  /** Which line is paid for. */
  readonly lines?: string;
}

/**
 * A thread. Threads that have nothing to do with the service (garbage collectors, compilers) are left
 * out.
 */
export interface Task {
  readonly id: TaskId;
  readonly pid: number;
  readonly tid: number;
  /** The task whose process started this one's process; the same process's first thread for a thread. */
  readonly parent?: TaskId;
  /** `main`: the process that was started; `process`: another process; `thread`: one more thread of either. */
  readonly kind: 'main' | 'process' | 'thread';
  /** Counts the tasks of a kind, from 1: `thread 2`, `process 1`. */
  readonly number: number;
  /** What it is called (/proc/PID/task/TID/comm), where the program names its threads; escaped. */
  readonly name?: string;
  /** When it was first seen. */
  readonly t: Ms;
}

/** What a client did, or what happened to it, or what was done to the server. */
export type Event = { readonly t: Ms; readonly who: ClientId | 'server' } & (
  | {
      /**
       * connect: begins to connect. connected: the kernel has answered, which is not yet an accept.
       * pause: stops reading. read: reads again. end: sends FIN, and reads to the end. fin: the server's
       * FIN came, after everything else. reset: leaves with RST. cut: the server, or the kernel for it,
       * sent RST.
       */
      readonly did: 'connect' | 'connected' | 'pause' | 'read' | 'end' | 'fin' | 'reset' | 'cut';
    }
  | {
      readonly did: 'send';
      /** The bytes, escaped: nothing but printable ASCII (`hal`, `f\r\n`). */
      readonly text: string;
      readonly bytes: number;
      /** How many lines these bytes complete: 0 for a piece without an end. */
      readonly lines: number;
      /** In a script only: nobody could send it any more. */
      readonly isWanted?: true;
    }
  | {
      /** A whole line came back. Not reported while a flood runs: see `progress`. */
      readonly did: 'echo';
      /** Escaped, with its end. */
      readonly text: string;
      /** Which of this client's lines, from 1. */
      readonly line: number;
      /** Since the `send` that completed the line, in milliseconds. */
      readonly waited: number;
    }
  | {
      /** Bytes came back that end no line: all of an unfinished line so far. Right servers send none. */
      readonly did: 'part';
      readonly text: string;
      readonly bytes: number;
    }
  | {
      /** Begins to send lines of `lineLength` bytes until the server has been offered `bytes`. */
      readonly did: 'flood';
      readonly bytes: number;
      readonly lineLength: number;
    }
  | {
      /** How far a flood has come, at most every 20 ms. */
      readonly did: 'progress';
      /** Bytes that the client's kernel has taken from the client so far. */
      readonly sent: number;
      /** Bytes of echo that the client has read so far. */
      readonly echoed: number;
    }
  | {
      /** What failed, in one sentence. */
      readonly did: 'error';
      readonly message: string;
    }
  | {
      /** The server got a signal; `task`: the process, where it was not the first. */
      readonly did: 'signal';
      readonly signal: 'SIGTERM' | 'SIGKILL';
      readonly task?: TaskId;
    }
  | {
      /** The server's first process has ended. */
      readonly did: 'exit';
      /** An exit code, or a signal's name. */
      readonly how: number | string;
    }
);

/** What a thread waits for. */
export interface Target {
  /**
   * A client's id; `listener`: a new client; `loop`: an event loop of its own (Node's, in poll's table);
   * `other`: something that has nothing to do with the clients; `unknown`.
   */
  readonly on: ClientId | 'listener' | 'loop' | 'other' | 'unknown';
  /** `input`: bytes, FIN or a new client. `output`: room for bytes, so it waits for that client to read. */
  readonly for: 'input' | 'output' | 'both';
}

/** What the witness saw; each says what has changed. */
export type Fact =
  | StateFact
  | DelayFact
  | GapFact
  | CpuFact
  | BacklogFact
  | HolderFact
  | BufferFact
  | MemoryFact;

/** What a thread does, from here on. */
export interface StateFact {
  readonly t: Ms;
  readonly fact: 'state';
  readonly task: TaskId;
  /**
   * waits: sleeps in a system call. runs: it is on a core or could be (see `delay`). stopped: by a
   * signal, or a debugger. gone: has ended. unknown: `why` says why.
   */
  readonly state: 'waits' | 'runs' | 'stopped' | 'gone' | 'unknown';
  /** waits: the call as in its manual page, section 2: `recv`, `poll`, `epoll_wait`, `futex`. */
  readonly call?: string;
  /** waits: for what; empty when the call waits for no descriptor (futex, nanosleep). */
  readonly on?: readonly Target[];
  /**
   * waits: whether `on` is exact. It is not for epoll under libuv, which removes descriptors lazily: some
   * in the list may be asked about no more.
   */
  readonly exact?: boolean;
  /** waits in io_uring_enter, where the kernel tells it: what was handed over and is not done. */
  readonly ring?: RingState;
  readonly why?: string;
}

/** An io_uring, as /proc/PID/fdinfo tells of it. */
export interface RingState {
  /**
   * How many operations wait for a socket, by name: `accept`, `recv`, `send`. Whose they are the kernel does not
   * tell, nor which operations wait for a time.
   */
  readonly inFlight: Readonly<Record<string, number>>;
  /** How many operations the process has handed over since it made the ring. */
  readonly handedOver: number;
}

/** A thread was ready, and no core was free, from `t - ms` to `t`. Only what took a millisecond or more. */
export interface DelayFact {
  readonly t: Ms;
  readonly fact: 'delay';
  readonly task: TaskId;
  readonly ms: number;
}

/**
 * What a thread did from `t - ms` to `t` is unknown, because the witness had no core itself, and the thread
 * has used some CPU meanwhile. (One that has used none has slept on.) Only what took 10 ms or more.
 */
export interface GapFact {
  readonly t: Ms;
  readonly fact: 'gap';
  readonly task: TaskId;
  readonly ms: number;
}

/** CPU time that a thread has used since the trace began, in milliseconds; at a change of its state. */
export interface CpuFact {
  readonly t: Ms;
  readonly fact: 'cpu';
  readonly task: TaskId;
  readonly ms: number;
}

/** How many clients are connected and not accepted. */
export interface BacklogFact {
  readonly t: Ms;
  readonly fact: 'backlog';
  readonly clients: number;
}

/** Who has a client's connection, from here on. */
export interface HolderFact {
  readonly t: Ms;
  readonly fact: 'holder';
  readonly client: ClientId;
  /**
   * backlog: connected, not accepted. held: a process has it open (`tasks`, its first thread). closed: the
   * server has closed it. unknown: accepted, but by a process that cannot be seen.
   */
  readonly where: 'backlog' | 'held' | 'closed' | 'unknown';
  readonly tasks?: readonly TaskId[];
}

/** The bytes of one connection that are in the kernel's four buffers, from here on. */
export interface BufferFact {
  readonly t: Ms;
  readonly fact: 'buffers';
  readonly client: ClientId;
  /** In the client's send buffer: not yet acknowledged by the server's kernel. */
  readonly clientSend: number;
  /** In the server's receive buffer: the server has not read them. */
  readonly serverReceive: number;
  /** In the server's send buffer: the client's kernel has not acknowledged them. */
  readonly serverSend: number;
  /** In the client's receive buffer: the client has not read them. */
  readonly clientReceive: number;
}

/**
 * The server's own memory, from here on: pages that belong to no file (proc(5), RssAnon), summed over those of its
 * processes that serve. Told when it has changed by a megabyte.
 */
export interface MemoryFact {
  readonly t: Ms;
  readonly fact: 'memory';
  readonly bytes: number;
}

/** From here on, a thread pays for this line (`--work`); without `line`: for none. */
export interface Inside {
  readonly t: Ms;
  readonly task: TaskId;
  /** Escaped, without its end. */
  readonly line?: string;
  /** Who sent it; absent where two clients sent the same. */
  readonly who?: ClientId;
}

/** One piece of a trace, while it happens. */
export type Entry =
  | { readonly task: Task }
  | { readonly event: Event }
  | { readonly fact: Fact }
  | { readonly inside: Inside };

/** Appends a piece to a trace that grows. */
export function append(trace: Trace, entry: Entry): void {
  if ('task' in entry) trace.tasks.push(entry.task);
  else if ('event' in entry) trace.events.push(entry.event);
  else if ('fact' in entry) trace.facts.push(entry.fact);
  else trace.inside.push(entry.inside);
}
