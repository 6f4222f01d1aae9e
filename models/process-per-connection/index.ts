/**
 * process-per-connection: each client has a process of its own, as inetd has started them since 1983. The accepted
 * socket is the process's descriptor 0, and its program (child.ts) is that of `blocking`, for one client. The
 * same without options, log, limits and signals is core.ts.
 *
 * The parent accepts, starts the process, and closes its own copy of the descriptor. From then on nothing that
 * happens to this client can harm another one: not a bug, not a lack of memory, not kill -9.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Acceptor } from '../../blocking-net/acceptor.ts';
import { type End, settingsOf } from '../../blocking-net/echo.ts';
import { javascriptOf } from '../../blocking-net/javascript.ts';
import { endWith, LAST_REPORTS_MS, whoLeft } from '../../blocking-net/report.ts';
import { type ConnectionLog, Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import { GRACE_MS, onShutdown } from '../../echo/shutdown.ts';
import * as sys from '../../sockets/index.ts';
import type { Message, Task } from './child.ts';

/**
 * The most processes that start at the same time: with more, each client would wait until the processes of all have
 * started. Several for each core, so that they get their part of a busy machine. The other clients wait in the backlog.
 */
const STARTING = 4 * availableParallelism();

/**
 * Short, because a client that has sent lines and left while it waited costs a process, too: nobody knows whether it
 * still reads. A backlog with thousands of these would keep the server busy for minutes.
 */
const BACKLOG = 32;

/** How long after SIGKILL a process may take to be gone. */
const KILL_MS = 150;

const summary = 'a process for each client, whose socket is its descriptor 0';
await main({ name: 'process-per-connection', summary, maxConnections: 64 }, async (options) => {
  const log = new Log(options);
  const acceptor = await Acceptor.listen(options, log, BACKLOG);
  const program = fileURLToPath(javascriptOf(new URL('./child.ts', import.meta.url)));
  const task: Task = { ...settingsOf(options), parent: process.pid };

  const children = new Set<ChildProcess>();
  /** Those that do not handle signals yet: one would end them. */
  const starting = new Set<ChildProcess>();
  let isStopping = false;

  const isOpen = () => children.size < options.maxConnections && starting.size < STARTING;

  /** Hands a client over to a process of its own, unless there is nobody left to serve. @returns whether it could */
  function admit(client: number): boolean {
    const gone = whoLeft(client);
    const child = gone ? undefined : start(client);
    if (!gone && !child) return false;
    const entry = log.connected(sys.peerOf, client);
    sys.close(client); // the process has its own
    if (gone) entry.closed(gone);
    if (child) report(child, entry);
    return true;
  }

  /** Tells the log what a process says of its client, and how it ended. */
  function report(child: ChildProcess, entry: ConnectionLog): void {
    let end: End | undefined;
    const reports = createInterface(child.stdio[3] as Readable).on('line', (line) => {
      const message = JSON.parse(line) as Message;
      if (message === 'ready') starting.delete(child);
      else if ('unfinished' in message) entry.hint(message.unfinished);
      else end = message.end;
    });
    const allReported = once(reports, 'close');
    child.once('exit', async (code, signal) => {
      await allReported;
      children.delete(child);
      starting.delete(child);
      const died = isStopping
        ? 'the server stops'
        : `its process died: ${signal ?? `code ${code}`}`;
      entry.closed(end ?? endWith(died));
    });
  }

  /** @returns undefined when the system has no room for one more process */
  function start(client: number): ChildProcess | undefined {
    try {
      const child = spawn(process.execPath, [program, JSON.stringify(task)], {
        stdio: [client, client, 'inherit', 'pipe'],
      });
      child.on('error', (error) => acceptor.pause(error));
      if (child.pid === undefined) return undefined;
      children.add(child);
      starting.add(child);
      return child;
    } catch (error) {
      acceptor.pause(error as Error); // some reasons are thrown, others are events
      return undefined;
    }
  }

  /** Tells the processes to end until they have, or there is no time left. */
  async function endChildren(): Promise<void> {
    isStopping = true;
    const deadline = performance.now() + GRACE_MS + LAST_REPORTS_MS;
    while (children.size > 0 && performance.now() < deadline + KILL_MS) {
      const isLate = performance.now() > deadline;
      for (const child of children) {
        // Again and again: a signal that comes just before a process waits in a call does not end the wait.
        if (isLate || !starting.has(child)) child.kill(isLate ? 'SIGKILL' : 'SIGUSR2');
      }
      await sleep(20);
    }
  }

  // No process outlives the parent. (When the parent is killed, no code of it runs: then the kernel ends them,
  // because child.ts has asked for that.)
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${children.size} open`);
    acceptor.stop();
  });

  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(async () => {
    await acceptor.run(isOpen, admit);
    await endChildren();
    await log.flush();
    process.exit(0);
  });
});
