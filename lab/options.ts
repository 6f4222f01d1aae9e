/** The command line of `npx tsx lab`. */
import { parseArgs } from 'node:util';
import { escapeBytes } from '../client/escape.ts';
import { modelNames } from '../conformance/models.ts';
import type { Lesson } from './lesson.ts';
import { lessonOf, lessons } from './lessons/index.ts';
import { command, model, type Server } from './stage/servers.ts';

/** Where the page is by default: beside the models' own port. */
const PORT = 12322;

export const HELP = `The lab: lessons about who waits for whom, on real servers.

Usage: npx tsx lab [LESSON]                   serve the lessons as a page, and start servers behind it
       npx tsx lab -- CMD…                    draw any server that a command starts, live
       npx tsx lab --export DIR               write the lessons as files that need no server
       npx tsx lab --text LESSON [MODEL…]     play a lesson now, and draw it in this terminal
       npx tsx lab --text LESSON -- CMD…      do the same with any server that a command starts
       npx tsx lab --record [LESSON] [MODEL…] play lessons, and keep the quietest recordings
       npx tsx lab --list                     print the lessons

  --port N        where the page is, on 127.0.0.1 (default ${PORT}; 0 picks a free one)
  --open          opens the browser, too
  --text          draws lanes of characters while the servers run
  --why           with --text: prints the explanation, too
  --record        writes lab/traces/LESSON.MODEL.json
  --runs N        with --record: the quietest of N is kept (default 3)
  --noisy         with --record: keeps even what is too noisy
  --list          the lessons in the order of the course
  --help, --version

A command learns its port from PORT in its environment, or in place of {port}.`;

/** The command line is wrong. */
export class UsageError extends Error {}

export type Options =
  | { readonly mode: 'help' | 'version' | 'list' }
  | {
      readonly mode: 'serve';
      readonly port: number;
      readonly open: boolean;
      /** What the page begins with; absent: the first lesson. */
      readonly lesson?: Lesson;
      /** A server of one's own. */
      readonly own?: Server;
    }
  | { readonly mode: 'export'; readonly folder: string }
  | {
      readonly mode: 'text';
      readonly lesson: Lesson;
      readonly servers: readonly Server[];
      readonly why: boolean;
    }
  | {
      readonly mode: 'record';
      readonly lessons: readonly Lesson[];
      /** None: all that there are. */
      readonly models: readonly string[];
      readonly runs: number;
      readonly noisy: boolean;
    };

/** @throws UsageError when it is wrong */
export function readOptions(args: readonly string[]): Options {
  const dashes = args.indexOf('--');
  const words = dashes < 0 ? undefined : args.slice(dashes + 1);
  const { values, positionals } = parse(dashes < 0 ? args : args.slice(0, dashes));
  if (values.help) return { mode: 'help' };
  if (values.version) return { mode: 'version' };
  const modes = (['list', 'text', 'record', 'export'] as const).filter((mode) => values[mode]);
  if (modes.length > 1) throw new UsageError(`--${modes.join(' and --')} exclude each other`);
  const [mode = 'serve'] = modes;
  if (mode !== 'serve' && (values.port ?? values.open) !== undefined) {
    throw new UsageError(`--port and --open do not go with --${mode}`);
  }
  if (words?.length === 0) throw new UsageError('-- needs a command that starts a server');
  if (mode === 'serve' || mode === 'export') {
    const [id, more] = positionals;
    if (more !== undefined) throw new UsageError(`one lesson at a time, not also ${quote(more)}`);
    if (mode === 'export') {
      if (id !== undefined || words) throw new UsageError('--export takes a folder, and no more');
      return { mode, folder: values.export ?? '' };
    }
    return {
      mode,
      port: portFrom(values.port),
      open: values.open === true,
      ...(id === undefined ? {} : { lesson: find(id) }),
      ...(words ? { own: command(words) } : {}),
    };
  }
  if (mode === 'list') return { mode };
  const [id, ...names] = positionals;
  if (mode === 'text') {
    if (id === undefined) throw new UsageError(`--text needs a lesson: ${known()}`);
    const lesson = find(id);
    const chosen = names.map(existing);
    const servers = words ? [...chosen, command(words)] : chosen;
    return {
      mode,
      lesson,
      servers: servers.length > 0 ? servers : defaults(lesson),
      why: values.why === true,
    };
  }
  if (words) throw new UsageError('--record plays models only');
  return {
    mode,
    lessons: id === undefined ? lessons : [find(id)],
    models: names.map((name) => existing(name).name),
    runs: count('--runs', values.runs, 3),
    noisy: values.noisy === true,
  };
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        open: flag,
        export: { type: 'string' },
        text: flag,
        why: flag,
        record: flag,
        runs: { type: 'string' },
        noisy: flag,
        list: flag,
        help: { ...flag, short: 'h' },
        version: flag,
      },
    });
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(escapeBytes(Buffer.from(sentence)));
  }
}

function find(id: string): Lesson {
  const lesson = lessonOf(id);
  if (!lesson) throw new UsageError(`there is no lesson ${quote(id)}; there are ${known()}`);
  return lesson;
}

function known(): string {
  return lessons.map(({ id }) => id).join(', ');
}

function existing(name: string): Server {
  if (modelNames().includes(name)) return model(name);
  throw new UsageError(`there is no model ${quote(name)}; there are ${modelNames().join(', ')}`);
}

/** Those that a lesson shows, as far as they are there. */
export function defaults({ shows }: Lesson): Server[] {
  const there = modelNames();
  return shows.filter((name) => there.includes(name)).map(model);
}

function count(name: string, text: string | undefined, or: number): number {
  if (text === undefined) return or;
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new UsageError(`${name} takes a whole number from 1 to 999, not ${quote(text)}`);
}

function portFrom(text: string | undefined): number {
  if (text === undefined) return PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new UsageError(`--port takes a whole number from 0 to 65535, not ${quote(text)}`);
}

function quote(text: string): string {
  return `"${escapeBytes(Buffer.from(text))}"`;
}
