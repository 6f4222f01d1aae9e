/** The command line of `npx tsx lab`. */
import { parseArgs } from 'node:util';
import { escapeBytes } from '../client/escape.ts';
import { modelNames } from '../conformance/models.ts';
import type { Lesson } from './lesson.ts';
import { lessonOf, lessons } from './lessons/index.ts';
import { command, model, type Server } from './stage/servers.ts';

export const HELP = `The lab: lessons about who waits for whom, on real servers.

Usage: npx tsx lab --text LESSON [MODEL…]     play a lesson now, and draw it in this terminal
       npx tsx lab --text LESSON -- CMD…      the same for any server that a command starts
       npx tsx lab --record [LESSON] [MODEL…] play lessons, and keep the quietest recordings
       npx tsx lab --list                     the lessons

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
  const modes = (['list', 'text', 'record'] as const).filter((mode) => values[mode]);
  if (modes.length > 1) throw new UsageError(`--${modes.join(' and --')} exclude each other`);
  const [mode = 'help'] = modes;
  if (mode === 'help') {
    const what = [...positionals, ...(words ?? [])][0];
    if (what !== undefined) throw new UsageError(`what is to be done with ${quote(what)}? --text`);
    return { mode };
  }
  if (mode === 'list') return { mode };
  const [id, ...names] = positionals;
  if (mode === 'text') {
    if (id === undefined) throw new UsageError(`--text needs a lesson: ${known()}`);
    const lesson = find(id);
    const chosen = names.map(existing);
    if (words?.length === 0) throw new UsageError('-- needs a command that starts a server');
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

function quote(text: string): string {
  return `"${escapeBytes(Buffer.from(text))}"`;
}
