/** The command line of the suite. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Check, Level } from './check.ts';
import { checks } from './checks/index.ts';
import { MODELS } from './contestants.ts';
import { isInstalled } from './node-command.ts';

/** How this program is called: in a clone, or from an installed package. */
export const COMMAND = isInstalled ? 'line-echo-conformance' : 'npx tsx conformance';

export const HELP = `Judges line-echo servers: those of this collection, or any other.

Usage: ${COMMAND} [options] [model...]         our models, side by side
       ${COMMAND} [options] --connect HOST:PORT   a server that runs already
       ${COMMAND} [options] -- command...         starts, checks and stops it

  --port N              where the command's server listens (default 12321); it is
                        told in PORT, and {port} in the command stands for it;
                        its standard input is /dev/null
  --ready-timeout S     seconds that it may take to listen (default 10)
  --list                the checks: id, level, title, and the sentence behind each
  --only PATTERN        these alone: an id, or a pattern such as 'framing/*'; repeatable
  --skip PATTERN        not these; repeatable
  --level LEVEL         the lowest level that decides the exit code:
                        must (default), should, or info
  --known FILE          checks that are known to fail: an id a line, # begins a comment
  --report KIND=FILE    html, json, junit, tap or markdown; repeatable
  --slow-factor N       wait N times as long for everything (default 1)
  --help, --version

Exit codes: 0 right, 1 wrong (or a known failure that passes), 2 a wrong command line,
3 a check itself broke, 130 interrupted. Reports are written also when interrupted.
A run takes five minutes at most for each server (times N with --slow-factor N).`;

/** The command line is wrong. */
export class UsageError extends Error {}

export const KINDS = ['html', 'json', 'junit', 'tap', 'markdown'] as const;
export type Kind = (typeof KINDS)[number];

export interface Options {
  readonly help: boolean;
  readonly version: boolean;
  readonly list: boolean;
  readonly models: readonly string[];
  readonly connect: { readonly host: string; readonly port: number } | undefined;
  readonly command: readonly string[] | undefined;
  readonly port: number;
  /** Milliseconds. */
  readonly readyTimeout: number;
  readonly checks: readonly Check[];
  readonly counts: ReadonlySet<Level>;
  /** Reasons, by the ids of checks. */
  readonly known: ReadonlyMap<string, string>;
  readonly reports: readonly { readonly kind: Kind; readonly file: string }[];
  readonly slowFactor: number;
  /** The options that a run of a single check needs as well. */
  readonly again: readonly string[];
}

/**
 * Reads the command line.
 *
 * @throws UsageError with one line that says what is wrong
 */
export function readOptions(argv: readonly string[]): Options {
  const dashes = argv.indexOf('--');
  const command = dashes < 0 ? undefined : argv.slice(dashes + 1);
  const { values, positionals: models } = parse(dashes < 0 ? argv : argv.slice(0, dashes));
  const ways = [models.length > 0, values.connect !== undefined, command !== undefined];
  if (ways.filter(Boolean).length > 1) {
    throw new UsageError('name models, or --connect, or a command after --: one of them');
  }
  if (command && !command[0]) throw new UsageError('no command after --');
  const unknown = models.find((name) => !MODELS.includes(name));
  if (unknown !== undefined) {
    const hint = `there are ${MODELS.join(', ')}; a command comes after --: -- ${models.join(' ')}`;
    throw new UsageError(`no model ${JSON.stringify(unknown)}: ${hint}`);
  }
  if (!command && (values.port ?? values['ready-timeout']) !== undefined) {
    throw new UsageError('--port and --ready-timeout go with a command after --');
  }
  return {
    help: values.help === true,
    version: values.version === true,
    list: values.list === true,
    models: models.length > 0 ? [...new Set(models)] : MODELS,
    connect: values.connect === undefined ? undefined : address(values.connect),
    command,
    port: portOf('--port', values.port ?? '12321'),
    readyTimeout: 1000 * number('--ready-timeout', values['ready-timeout'] ?? '10', 600),
    checks: selected(values.only ?? [], values.skip ?? []),
    counts: countsFrom(values.level ?? 'must'),
    known: values.known === undefined ? new Map() : readKnown(values.known),
    reports: (values.report ?? []).map(report),
    slowFactor: number('--slow-factor', values['slow-factor'] ?? '1', 1000),
    again: ['ready-timeout', 'slow-factor', 'known'].flatMap((option) => {
      const value = values[option as 'known'];
      return value === undefined ? [] : [`--${option}`, value];
    }),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const many = { type: 'string', multiple: true } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        connect: text,
        port: text,
        'ready-timeout': text,
        list: flag,
        only: many,
        skip: many,
        level: text,
        known: text,
        report: many,
        'slow-factor': text,
        help: { ...flag, short: 'h' },
        version: flag,
      },
    });
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(sentence);
  }
}

/** The checks that are asked for, in their order. */
function selected(only: readonly string[], skip: readonly string[]): readonly Check[] {
  const chosen = only.length === 0 ? checks : checks.filter(({ id }) => matchesAny(id, only));
  const left = chosen.filter(({ id }) => !matchesAny(id, skip));
  for (const pattern of [...only, ...skip]) {
    if (!checks.some(({ id }) => matchesAny(id, [pattern]))) {
      throw new UsageError(`no check matches ${JSON.stringify(pattern)} (--list shows them)`);
    }
  }
  if (left.length === 0) throw new UsageError('no check is left to run');
  return left;
}

function matchesAny(id: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const source = pattern.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${source}$`).test(id);
  });
}

function countsFrom(level: string): ReadonlySet<Level> {
  const levels: Level[] = ['must', 'should', 'info'];
  const at = levels.indexOf(level as Level);
  if (at < 0)
    throw new UsageError(`--level takes must, should or info, not ${JSON.stringify(level)}`);
  return new Set(levels.slice(0, at + 1));
}

function readKnown(file: string): ReadonlyMap<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
  const known = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [id = '', reason = ''] = line.split('#', 2).map((part) => part.trim());
    if (id === '') continue;
    if (!checks.some((check) => check.id === id)) {
      throw new UsageError(
        `${file} lists ${JSON.stringify(id)}, which is no check (--list shows them)`,
      );
    }
    known.set(id, reason || `listed in ${file}`);
  }
  return known;
}

function report(text: string): { kind: Kind; file: string } {
  const [kind = '', ...rest] = text.split('=');
  const file = rest.join('=');
  if (!(KINDS as readonly string[]).includes(kind) || file === '') {
    throw new UsageError(
      `--report takes KIND=FILE with ${KINDS.join(', ')}, not ${JSON.stringify(text)}`,
    );
  }
  return { kind: kind as Kind, file };
}

function address(text: string): { host: string; port: number } {
  const found = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text);
  if (!found) throw new UsageError(`--connect takes HOST:PORT, not ${JSON.stringify(text)}`);
  const [, ipv6, host, port = ''] = found;
  return { host: ipv6 || host || '127.0.0.1', port: portOf('--connect', port) };
}

function portOf(option: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new UsageError(
      `${option}: a port is a whole number from 1 to 65535, not ${JSON.stringify(text)}`,
    );
  }
  return port;
}

function number(option: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > most) {
    throw new UsageError(
      `${option} takes a number above 0, ${most} at most, not ${JSON.stringify(text)}`,
    );
  }
  return value;
}
