/** The options of every model: one table, from which the parser and the help text are made. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import type { EndOfLine } from './framing.ts';

/** What differs between the models in their options and help texts. */
export interface Model {
  /** The name of its folder. */
  readonly name: string;
  /** What it is, in a few words, for `--help`. */
  readonly summary: string;
  /** What `--workers` counts; absent if the model has no such option. */
  readonly workers?: 'threads' | 'processes';
  /** Whether it takes one address only, because it waits on one listener. */
  readonly oneAddress?: true;
  /** The default of `--max-connections`, where a client is so costly that further ones had better wait. */
  readonly maxConnections?: number;
}

export interface Options {
  readonly model: string;
  /** Where to listen; undefined for the model's default. */
  readonly hosts: readonly string[] | undefined;
  /** 0 to 65535; 0 picks a free one. */
  readonly port: number;
  /** The longest line, in bytes with its terminator. */
  readonly maxLine: number;
  /**
   * How many connections may be open at once, 1 or more; `Infinity` for no limit. Further ones are closed when
   * they arrive. In `blocking`, which has one at a time, and in models with a default of their own they wait.
   */
  readonly maxConnections: number;
  /** Milliseconds without a byte in either direction after which a connection is closed; 0 is off. */
  readonly idleTimeout: number;
  readonly endOfLine: EndOfLine;
  /** Milliseconds of CPU that each line costs. */
  readonly work: number;
  /** Milliseconds that each line waits for something that is not the CPU: a database, say. */
  readonly wait: number;
  /** Threads or processes that answer lines (worker-threads and cluster). */
  readonly workers: number;
  readonly log: 'text' | 'json' | 'off';
}

/** The command line or the environment is invalid. The message is one line; the exit code is 2. */
export class UsageError extends Error {}

/** `--help` or `--version` was given. The message goes to standard output; the exit code is 0. */
export class InformationRequest extends Error {}

const DEFAULT_PORT = 12321;

function helpText({ name, summary, workers, oneAddress, maxConnections }: Model): string {
  const hosts = oneAddress
    ? `--host ADDRESS          address to listen on (default 127.0.0.1); only one, because a
                          blocking accept waits on one socket; :: takes IPv6 and IPv4`
    : '--host ADDRESS          address to listen on; may be repeated (default 127.0.0.1 and ::1)';
  const workersLine = workers
    ? `
  --workers N             ${workers} that answer lines (default: one for each core, ${os.availableParallelism()} here)`
    : '';
  return `${name}: a TCP line-echo server; ${summary}.

Usage: npx tsx models/${name} [options]

  ${hosts}
  --port N                port to listen on; 0 picks a free one (default ${DEFAULT_PORT})
  --max-line BYTES        longest line, terminator included (default 65536)
  --max-connections N     most connections at once; further ones ${oneAddress || maxConnections ? 'wait' : 'are closed'} (default: ${maxConnections ?? 'no limit'})
  --idle-timeout SECONDS  close a connection on which no byte moves for this long (default: off)
  --eol crlf|lf           what ends a line (default crlf; lf suits a plain nc)
  --work MILLISECONDS     CPU time that each line costs (default 0)
  --wait MILLISECONDS     time that each line waits for something other than the CPU (default 0)${workersLine}
  --log text|json|off     log of connections on standard output (default text)
  --help, --version

The environment variables HOST and PORT are used when the option is absent.
SIGINT (Ctrl-C) and SIGTERM end the server in order; a second signal ends it at once.`;
}

/**
 * Reads a model's command line and environment.
 *
 * @throws UsageError when an option is unknown or its value is out of range
 * @throws InformationRequest for `--help` and `--version`
 */
export function parseOptions(
  model: Model,
  args: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
): Options {
  const values = parse(model, args);
  if (values.help) throw new InformationRequest(helpText(model));
  if (values.version) throw new InformationRequest(`${model.name} ${version()}`);

  const hosts = values.host ?? (env.HOST ? [env.HOST] : undefined);
  const hostSource = values.host ? '--host' : 'HOST';
  if (hosts?.some((host) => host === '')) throw new UsageError(`${hostSource} needs an address`);
  if (model.oneAddress && hosts && hosts.length > 1) {
    throw new UsageError(
      '--host: give one address only, because a blocking accept waits on one socket',
    );
  }
  const portSource = values.port === undefined && env.PORT ? 'PORT' : '--port';
  return {
    model: model.name,
    hosts: hosts && [...new Set(hosts)],
    port: integer(portSource, values.port ?? (env.PORT || undefined), 0, 65535, DEFAULT_PORT),
    maxLine: integer('--max-line', values['max-line'], 2, 2 ** 28, 65536),
    maxConnections: integer(
      '--max-connections',
      values['max-connections'],
      1,
      2 ** 31 - 1,
      model.maxConnections ?? Infinity,
    ),
    idleTimeout: 1000 * decimal('--idle-timeout', values['idle-timeout'], 86_400),
    endOfLine: choice('--eol', values.eol, ['crlf', 'lf']),
    work: decimal('--work', values.work, 10_000),
    wait: decimal('--wait', values.wait, 60_000),
    workers: integer('--workers', values.workers, 1, 1024, os.availableParallelism()),
    log: choice('--log', values.log, ['text', 'json', 'off']),
  };
}

function parse(model: Model, args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    host: { type: 'string', multiple: true },
    port: text,
    'max-line': text,
    'max-connections': text,
    'idle-timeout': text,
    eol: text,
    work: text,
    wait: text,
    log: text,
    help: { ...flag, short: 'h' },
    version: flag,
    workers: text,
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.workers !== undefined && !model.workers) {
      throw new UsageError(`${model.name} has no workers`);
    }
    return values;
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error)) throw error;
    // parseArgs adds advice on positional arguments after the first sentence.
    const [sentence] = error.message.split(/\.\s|\n/);
    throw new UsageError(printable(`${sentence}`));
  }
}

function integer(name: string, text: string | undefined, min: number, max: number, or: number) {
  if (text === undefined) return or;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not ${quote(text)}`);
}

function decimal(name: string, text: string | undefined, max: number): number {
  if (text === undefined) return 0;
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (value <= max) return value;
  throw new UsageError(`${name} takes a number from 0 to ${max}, not ${quote(text)}`);
}

function choice<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly [T, ...T[]],
): T {
  const found = text === undefined ? choices[0] : choices.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(`${name} takes ${choices.join(' or ')}, not ${quote(`${text}`)}`);
}

function quote(text: string): string {
  return printable(JSON.stringify(text));
}

/** Error messages quote what was typed; its control characters must not reach a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
