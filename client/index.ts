/** `npx tsx client`: a line client for people. It behaves well; flags make it misbehave. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Client, ClientError, connect, count, escapeBytes } from './client.ts';

const HELP = `A client for line servers: type a line, see the echo.

Usage: npx tsx client [options] [host] [port]        (default: localhost 12321)
       printf 'hi\\n' | npx tsx client

  --eol crlf|lf     what ends a line on the wire (default crlf)
  --byte-by-byte    send each line one byte at a time
  --help, --version

These make it misbehave. Watch the server from another terminal; Ctrl-C ends the client:
  --hold-partial    send a line without its end, and stay connected
  --never-read      send lines until the server takes no more, read nothing, and stay connected
  --flood           send lines and read the answers, both as fast as possible
  --reset           send half a line, then reset the connection`;

/** The command line is invalid. */
class UsageError extends Error {}

/** The host was not found. */
class NameError extends Error {}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return say(HELP);
  if (values.version) return say(`client ${version()}`);
  const [host = 'localhost', port = '12321', ...more] = positionals;
  if (more.length > 0)
    throw new UsageError(`takes at most a host and a port, not also ${quote(more[0])}`);
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    throw new UsageError(`the port must be a whole number from 1 to 65535, not ${quote(port)}`);
  }
  const manners = (['hold-partial', 'never-read', 'flood', 'reset'] as const).filter(
    (manner) => values[manner],
  );
  if (manners.length > 1) throw new UsageError(`--${manners.join(' and --')} exclude each other`);
  const eol = values.eol ?? 'crlf';
  if (eol !== 'crlf' && eol !== 'lf')
    throw new UsageError(`--eol takes crlf or lf, not ${quote(eol)}`);
  const terminator = eol === 'crlf' ? '\r\n' : '\n';

  // When the reader of the output has left (`| head -1`), exit as after SIGPIPE.
  process.stdout.on('error', () => process.exit(141));
  const client = await reach(host, Number(port));
  process.once('SIGINT', () => process.exit(130));
  if (values['hold-partial']) return holdPartial(client);
  if (values['never-read']) return neverRead(client, terminator);
  if (values.flood) return flood(client, terminator);
  if (values.reset) return reset(client);
  await talk(client, terminator, values['byte-by-byte'] === true);
}

/** Milliseconds: a person may think for a long time before typing. */
const DAY = 86_400_000;

function readArguments() {
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        eol: { type: 'string' },
        'byte-by-byte': flag,
        'hold-partial': flag,
        'never-read': flag,
        flood: flag,
        reset: flag,
        help: { ...flag, short: 'h' },
        version: flag,
      },
    });
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(escapeBytes(Buffer.from(sentence)));
  }
}

/** Connects to the first address of a name that answers: `localhost` usually has two. */
async function reach(host: string, port: number): Promise<Client> {
  const found = await lookup(host, { all: true }).catch((error: Error) => {
    throw new NameError(escapeBytes(Buffer.from(error.message)));
  });
  let failure: unknown;
  for (const { address } of found) {
    try {
      return await connect({ host: address, port, timeout: DAY });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Sends what is typed, or comes from a pipe, line by line, and prints what comes back. */
async function talk(client: Client, terminator: '\r\n' | '\n', byteByByte: boolean): Promise<void> {
  const isTerminal = process.stdin.isTTY === true;
  if (isTerminal) note('connected; type a line, Ctrl-D ends');
  let sent = 0;
  let isDone = false;
  const typing = (async () => {
    for await (const line of inputLines(terminator)) {
      sent++;
      const bytes = Buffer.concat([line, Buffer.from(terminator)]);
      if (byteByByte) await client.sendBytewise(bytes);
      else await client.send(bytes);
    }
    isDone = true;
    await client.halfClose();
  })();
  typing.catch(() => undefined); // the connection has ended, which print() reports
  const { echoed, how } = await print(client, terminator);
  process.stdin.destroy();
  await client.close();
  if (how === 'reset') throw new ClientError('reset', 'the server reset the connection');
  if (isTerminal) note('the server closed the connection');
  else if (!isDone || echoed < sent) {
    const lines = `${count(sent)} ${sent === 1 ? 'line' : 'lines'} sent, ${count(echoed)} echoed`;
    throw new ClientError('fin', `the server closed the connection: ${lines}`);
  }
}

/** The lines of standard input, as bytes without terminators. The last one may lack a terminator. */
async function* inputLines(terminator: '\r\n' | '\n'): AsyncGenerator<Buffer> {
  let unfinished: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      const line = Buffer.concat([...unfinished, chunk.subarray(start, end)]);
      // Input that has CR LF already is sent unchanged.
      yield terminator === '\r\n' && line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
      unfinished = [];
      start = end + 1;
    }
    if (start < chunk.length) unfinished.push(chunk.subarray(start));
  }
  if (unfinished.length > 0) yield Buffer.concat(unfinished);
}

/** Prints what comes until the server ends the connection. @returns how many lines came, and how it ended */
async function print(client: Client, terminator: '\r\n' | '\n') {
  for (let echoed = 0; ; echoed++) {
    try {
      const line = await client.receiveLine({ terminator });
      await write(line.subarray(0, -terminator.length), true);
    } catch {
      const { bytes, how } = await client.receiveEnd();
      if (bytes.length > 0) await write(bytes, false);
      return { echoed, how };
    }
  }
}

/** Writes bytes unchanged to a pipe, and escaped to a terminal, because they could be commands to it. */
async function write(bytes: Buffer, isLine: boolean): Promise<void> {
  const { stdout } = process;
  const end = isLine || stdout.isTTY ? '\n' : '';
  const out = stdout.isTTY ? printable(bytes) + end : Buffer.concat([bytes, Buffer.from(end)]);
  if (!stdout.write(out)) await once(stdout, 'drain');
}

/** Text, with control characters and those that change the direction of text escaped. */
function printable(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (one) => escapeBytes(Buffer.from(one)));
}

async function holdPartial(client: Client): Promise<void> {
  const partial = 'a line without its end';
  await client.send(partial);
  say(`sent "${partial}" and no line end; holding the connection (Ctrl-C ends it)`);
  const { how } = await client.receiveEnd();
  say(`the server ended the connection (${how})`);
}

async function neverRead(client: Client, terminator: string): Promise<void> {
  client.pause();
  const block = Buffer.from(`${'never read '.repeat(91)}${terminator}`.repeat(64));
  let taken = -1;
  while (client.ending === undefined && client.taken !== taken) {
    taken = client.taken;
    await client.flood(block, { limit: BOUND - taken, stall: 1000 });
    if (client.taken >= BOUND) break;
  }
  if (client.ending !== undefined) {
    return say(
      `the server ended the connection (${client.ending}) after ${count(client.taken)} bytes`,
    );
  }
  const verdict =
    client.taken < BOUND
      ? 'then it stopped: backpressure'
      : 'and would take more: it keeps them, or throws them away';
  say(`the server and the kernel took ${count(client.taken)} bytes, ${verdict} (Ctrl-C ends it)`);
  // A client that does not read sees no FIN. It does notice a reset, because a block is still being sent.
  while (client.ending === undefined) await sleep(200);
  say(`the server ended the connection (${client.ending})`);
}

/** Bytes after which it is clear that the server takes everything. */
const BOUND = 256 * 1024 * 1024;

async function flood(client: Client, terminator: string): Promise<void> {
  const block = Buffer.from(`${'flood '.repeat(170)}${terminator}`.repeat(64));
  let reportAt = performance.now() + 1000;
  let echoed = 0;
  (async () => {
    for (;;) echoed += (await client.receiveSome()).length;
  })().catch(() => undefined);
  while (client.ending === undefined) {
    await client.flood(block, { limit: block.length * 16, stall: 1000 });
    await new Promise((resolve) => setImmediate(resolve)); // to read, too
    if (performance.now() < reportAt) continue;
    reportAt += 1000;
    say(`${count(client.taken)} bytes sent, ${count(echoed)} echoed`);
  }
  say('the server ended the connection');
}

async function reset(client: Client): Promise<void> {
  await client.send('half a li');
  await client.reset();
  say('sent "half a li", then a reset');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A message for the person at the terminal, not part of the output. */
function note(text: string): void {
  const dim = process.stderr.isTTY && !process.env.NO_COLOR;
  process.stderr.write(dim ? `\x1b[2m${text}\x1b[0m\n` : `${text}\n`);
}

function quote(text = ''): string {
  return `"${escapeBytes(Buffer.from(text))}"`;
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

main().catch((error: Error) => {
  const isUsage = error instanceof UsageError;
  const isExpected = isUsage || error instanceof NameError || error instanceof ClientError;
  const isAlone = error instanceof ClientError && /ECONNREFUSED/.test(error.message);
  const advice = isUsage
    ? '; see --help'
    : isAlone
      ? ' (is a server running? npx tsx models/poll-loop)'
      : '';
  process.stderr.write(`client: ${isExpected ? error.message : error.stack}${advice}\n`);
  process.exitCode = isUsage ? 2 : 1;
});
