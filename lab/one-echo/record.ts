/**
 * `npx tsx lab/one-echo/record.ts [MODEL…]`: follows one echo through each model, with strace at every thread
 * of the server and at the client, and tcpdump on the loopback. For those who maintain the lab: it needs both
 * programs, and the right to use them (root).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { modelNames } from '../../conformance/models.ts';
import { processesOf } from '../../conformance/processes.ts';
import { ServerProcess } from '../../conformance/server-process.ts';
import { specOf } from '../stage/servers.ts';
import type { OneEcho, Step } from './path.ts';
import { bytesIn, type Call, callsOf, type Packet, packetsOf, unescaped } from './strace.ts';

const LINE = 'hello\r\n';

/** A client of plain blocking calls: what Node would do besides has nothing to do with the echo. */
const CLIENT = `
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print(s.getsockname()[1], flush=True)
for line in sys.stdin.buffer:
    s.sendall(line.strip() + b"\\r\\n")
    s.recv(4096)
    print("echoed", flush=True)
`;

/** @throws Error when a tool is missing, or the server does not come up */
async function follow(model: string, folder: string): Promise<OneEcho> {
  const spec = await specOf({ name: model, isModel: true }, {});
  const args = 'args' in spec ? spec.args : [];
  const server = await ServerProcess.start(`models/${model}`, [...args, '--log', 'off']);
  const client = spawn('python3', ['-c', CLIENT, String(server.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const tools: ChildProcess[] = [];
  try {
    const clientPort = Number(await said(client));
    const echo = async (line: string) => {
      client.stdin.write(`${line}\n`);
      await said(client);
      await sleep(200);
    };
    for (let i = 0; i < 20; i++) await echo('warm');
    // tsx keeps a compiler beside the server: that is not the server.
    const pids = processesOf(server.pid).map(({ pid }) => pid);
    const theirs = pids.filter((pid) => !/esbuild/.test(nameOf(pid, pid)));
    const files = { strace: join(folder, 'strace'), packets: join(folder, 'packets') };
    const ports = `tcp port ${server.port} and tcp port ${clientPort}`;
    const tcpdump = spawn('tcpdump', ['-i', 'lo', '-tt', '-n', '-U', '-l', ports], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let packets = '';
    tcpdump.stdout.setEncoding('utf8').on('data', (text) => {
      packets += text;
    });
    tools.push(tcpdump);
    await once(tcpdump.stderr, 'data');
    const attach = [...theirs, client.pid].flatMap((pid) => ['-p', String(pid)]);
    const strace = spawn(
      'strace',
      ['-f', '-ttt', '-yy', '-xx', '-s', '64', '-o', files.strace, ...attach],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    tools.push(strace);
    await once(strace.stderr, 'data');
    await sleep(1000);
    // The first one is special: calls that strace has interrupted are begun again under another name.
    await echo('again');
    await echo('hello');
    await sleep(300);
    strace.kill('SIGINT');
    await once(strace, 'exit');
    tcpdump.kill('SIGINT');
    await once(tcpdump, 'exit');
    const calls = callsOf(readFileSync(files.strace, 'utf8'));
    const steps = stepsOf(calls, packetsOf(packets), client.pid as number, clientPort, theirs);
    return {
      ...{ model, system: `${type()} ${release()}`, node: process.version },
      recorded: new Date().toISOString().slice(0, 10),
      line: Buffer.from(LINE).toString('hex'),
      steps,
    };
  } finally {
    for (const tool of tools) tool.kill('SIGKILL');
    client.kill('SIGKILL');
    await server.stop();
  }
}

async function said(child: ChildProcess): Promise<string> {
  const [text] = await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  return String(text).trim();
}

function nameOf(pid: number, tid: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** What belongs to the echo, from the client’s send(2) to the server’s next sleep. */
function stepsOf(
  calls: readonly Call[],
  packets: readonly Packet[],
  client: number,
  clientPort: number,
  processes: readonly number[],
): Step[] {
  const hex = Buffer.from(LINE).toString('hex');
  const isOnConnection = ({ args }: Call) =>
    args.includes(`:${clientPort}->`) || args.includes(`:${clientPort}]`);
  const carries = (call: Call) => bytesIn(call.args) === hex;
  const sent = calls.find(
    (call) => call.pid === client && /^send/.test(call.name) && carries(call),
  );
  if (!sent) throw new Error('the client was not seen to send');
  const got = calls.find((call) => call.pid === client && /^recv/.test(call.name) && carries(call));
  const from = sent.at;
  // No call on a ring carries a byte: whoever returns from one in that time has the line.
  const owner =
    calls.find((call) => call.pid !== client && carries(call) && isOnConnection(call)) ??
    calls.find((call) => isRing(call) && call.result !== undefined && call.at >= from);
  if (!owner || !got) throw new Error('the echo was not seen');
  const answered = calls.find(
    (call) => call.pid === owner.pid && /^(send|write)/.test(call.name) && carries(call),
  );
  const until = Math.max(got.at, answered?.at ?? 0);
  const within = calls.filter((call) => call.at >= from - 0.0005 && call.at <= until + 0.05);
  // A thread that was woken for this line, and woke the owner again.
  const helpers = new Set(
    within
      .filter((call) => call.pid !== owner.pid && call.pid !== client && isEventfd(call))
      .filter((call) => call.name === 'write' && call.at > owner.at && call.at < until)
      .map(({ pid }) => pid),
  );
  const relevant = within.filter((call) => {
    if (call.pid === client) return call === sent || call === got;
    if (call.pid !== owner.pid && !helpers.has(call.pid)) return false;
    if (isOnConnection(call) && /^(recv|send|read|write)/.test(call.name))
      return (call.result ?? 0) > 0;
    if (isEventfd(call)) return call.at < until && /^(read|write)$/.test(call.name);
    if (isRing(call)) return call.result !== undefined && call.at >= from;
    return isWait(call) && (call.result ?? 0) > 0 && call.at <= until;
  });
  const asleep = calls.find(
    (call) =>
      call.pid === owner.pid &&
      call.result === undefined &&
      (isWait(call) || isRing(call) || isOnConnection(call)),
  );
  const names = new Map<number, string>();
  const task = (pid: number) => {
    // The main thread of a process has the process's number.
    if (helpers.size === 0 && !processes.includes(pid))
      return { task: 'the thread of this client' };
    const isOnly = helpers.size === 0 && processes.length === 1;
    if (isOnly) return {};
    if (!names.has(pid)) names.set(pid, helpers.has(pid) ? `thread ${names.size}` : 'main thread');
    if (helpers.size === 0) return { task: 'a child process' };
    return { task: names.get(pid) as string };
  };
  task(owner.pid);
  const us = (at: number) => Math.round((at - from) * 1e6);
  const steps: Step[] = relevant.map((call) => ({
    ...{ t: us(call.at), what: 'call', who: call.pid === client ? 'client' : 'server' },
    ...(call.pid === client ? {} : task(call.pid)),
    ...asCalled(call),
  }));
  const wire: Step[] = packets
    .filter(({ at }) => at >= from - 0.002 && at <= until + 0.25)
    .map(({ at, fromPort, flags, length, ack }) => ({
      ...{ t: us(at), what: 'segment', from: fromPort === clientPort ? 'client' : 'server' },
      ...{ flags, length, ack },
    }));
  const ordered = inCausalOrder([...steps, ...wire]);
  const end = Math.max(...ordered.map(({ t }) => t));
  return asleep
    ? [
        ...ordered,
        {
          ...{ t: Math.max(end, us(asleep.at)), what: 'call', who: 'server', ...task(asleep.pid) },
          ...asCalled(asleep),
        },
      ]
    : ordered;
}

/**
 * A call is noted when it has returned, and its segment leaves before: send(2), then the segment, then its
 * acknowledgement, is how it was meant.
 */
function inCausalOrder(steps: readonly Step[]): Step[] {
  const rank = (step: Step) => {
    if (step.what === 'segment') {
      if (step.from === 'client') return step.length > 0 ? 1 : 8;
      return step.length > 0 ? 6 : 2;
    }
    if (step.who === 'client') return /^send/.test(step.call) ? 0 : 7;
    if (step.on === 'ring') return (step.result ?? 0) > 0 ? 5 : 4;
    return /^(send|write)/.test(step.call) && step.on === 'connection' ? 5 : 4;
  };
  return [...steps].sort((a, b) => rank(a) - rank(b) || a.t - b.t);
}

function isWait({ name }: Call): boolean {
  return /^(poll|ppoll|epoll_wait|epoll_pwait|epoll_pwait2|select|pselect6)$/.test(name);
}

function isRing({ name }: Call): boolean {
  return name === 'io_uring_enter';
}

function isEventfd({ args }: Call): boolean {
  return unescaped(args).includes('<anon_inode:[eventfd]>');
}

/** A call as its manual page names it, without what only the kernel needs to know. */
function asCalled(call: Call): Omit<Extract<Step, { what: 'call' }>, 't' | 'what' | 'who'> {
  const name =
    { recvfrom: 'recv', sendto: 'send', epoll_pwait: 'epoll_wait' }[call.name] ?? call.name;
  const on = isWait(call)
    ? 'table'
    : isRing(call)
      ? 'ring'
      : isEventfd(call)
        ? 'eventfd'
        : 'connection';
  const fd = /^(\d+)/.exec(call.args)?.[1];
  // Of a ring: how many operations are handed over, and how many have to be done before it returns.
  const [, submitted, least] = /^\d+[^,]*, (\d+), (\d+)/.exec(call.args) ?? [];
  const shown =
    on === 'table'
      ? `${name}(…)`
      : on === 'ring'
        ? `${name}(${fd}, ${submitted}, ${least}, …)`
        : `${name}(${fd}, …)`;
  const bytes = on === 'connection' && call.result ? bytesIn(call.args) : undefined;
  return {
    ...{ call: name, on, shown },
    ...(call.result === undefined ? {} : { result: call.result }),
    ...(bytes ? { bytes } : {}),
  };
}

mkdirSync(new URL('recordings', import.meta.url), { recursive: true });
const asked = process.argv.slice(2);
for (const model of asked.length > 0 ? asked : modelNames()) {
  const folder = mkdtempSync(join(tmpdir(), 'one-echo-'));
  try {
    const echo = await follow(model, folder);
    writeFileSync(
      new URL(`recordings/${model}.json`, import.meta.url),
      `${JSON.stringify(echo, undefined, 1)}\n`,
    );
    console.log(`${model}: ${echo.steps.length} steps`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
process.exit(0);
