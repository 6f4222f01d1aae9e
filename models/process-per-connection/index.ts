/**
 * process-per-connection: each client has a process of its own, as inetd has started them since 1986. The accepted
 * socket is the process's descriptor 0, and its program (child.ts) is that of `blocking`, for one client. The
 * same without options, log, limits and signals is core.ts.
 *
 * The parent accepts, starts the process, and closes its own copy of the descriptor. From then on nothing that
 * happens to this client can harm another one: not a bug, not a lack of memory, not kill -9.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Acceptor } from '../../blocking-net/acceptor.ts';
import type { End } from '../../blocking-net/echo.ts';
import { javascriptOf } from '../../blocking-net/javascript.ts';
import { lost } from '../../blocking-net/report.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { GRACE_MS, onShutdown } from '../../echo/shutdown.ts';
import { measureSpeed } from '../../echo/work.ts';
import * as sys from '../../sockets/index.ts';
import type { Message, Task } from './child.ts';

/** A short one: also a client that has waited and left costs a process, because nobody knows what it had sent. */
const BACKLOG = 32;

const model: Model = {
  name: 'process-per-connection',
  summary: 'a process for each client, whose socket is its descriptor 0',
  maxConnections: 64,
};

await main(model, async (options) => {
  const log = new Log(options);
  const acceptor = await Acceptor.listen(options, log, BACKLOG);
  const program = fileURLToPath(javascriptOf(new URL('./child.ts', import.meta.url)));
  const speed = options.work > 0 ? measureSpeed() : 0;
  const { maxLine, idleTimeout, endOfLine, work, wait } = options;
  const task: Task = {
    options: { maxLine, idleTimeout, endOfLine, work, wait },
    speed,
    parent: process.pid,
  };

  /** The processes, and whether each hears signals yet: before, the signal would end it. */
  const children = new Map<ChildProcess, boolean>();
  /** A client for whom no process could be started: it is the next. */
  let pending: number | undefined;
  let isStopping = false;

  function isOpen(): boolean {
    const client = pending;
    pending = undefined;
    if (client !== undefined) startFor(client);
    return pending === undefined && children.size < options.maxConnections;
  }

  /** Starts a process, and hands the client over to it. */
  function startFor(client: number): void {
    const child = spawn(process.execPath, [program, JSON.stringify(task)], {
      stdio: [client, client, 'inherit', 'pipe'],
    });
    child.on('error', acceptor.pause.bind(acceptor));
    if (child.pid === undefined) {
      pending = client;
      return;
    }
    const entry = log.connected(() => sys.peerOf(client));
    sys.close(client); // the process has its own
    children.set(child, false);
    let end: End | undefined;
    createInterface(child.stdio[3] as Readable).on('line', (line) => {
      const message = JSON.parse(line) as Message;
      if (message === 'ready') {
        children.set(child, true);
        if (isStopping) child.kill('SIGUSR2');
      } else if ('unfinished' in message) entry.hint(message.unfinished);
      else end = message.end;
    });
    child.once('close', (code, signal) => {
      children.delete(child);
      entry.closed(end ?? lost(`its process died: ${signal ?? `exit code ${code}`}`));
    });
  }

  /** Tells the processes to end, and waits until they have, or there is no time left. */
  async function endChildren(): Promise<void> {
    isStopping = true;
    for (const [child, hears] of children) if (hears) child.kill('SIGUSR2');
    const deadline = performance.now() + GRACE_MS + 350;
    while (children.size > 0 && performance.now() < deadline) await sleep(5);
  }

  // No process outlives the parent. (When the parent is killed, no code of it runs: then the kernel ends them,
  // because child.ts has asked for that.)
  process.on('exit', () => {
    for (const child of children.keys()) child.kill('SIGKILL');
  });

  onShutdown((signal) => {
    log.notice(`${signal}: stopping with ${children.size} open`);
    acceptor.stop();
  });

  // Not from inside this module's evaluation, during which no signal handler runs.
  setImmediate(async () => {
    await acceptor.run(isOpen, startFor);
    if (pending !== undefined) sys.close(pending);
    await endChildren();
    await log.flush();
    process.exit(0);
  });
});
