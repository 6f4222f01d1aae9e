/** `npx tsx exercise`: starts a server that is wrong in one way, and does not say how. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { escapeBytes } from '../client/escape.ts';
import { mutants } from '../conformance/mutants/index.ts';
import { type Exercise, exercises } from './exercises.ts';

const HELP = `Starts a server that is wrong in one way. Find out how.

Usage: npx tsx exercise                      lists the exercises
       npx tsx exercise N [--port PORT]      starts the server of exercise N
       npx tsx exercise N --hint             says which tool to try
       npx tsx exercise N --reveal           says what is wrong, and shows the source

  --port N      where to listen (default: PORT in the environment, or 12321); 0 picks a free one
  --help

Exit codes: 0 after a list, a hint or an answer, 1 when the server ends itself, 2 after a wrong option.`;

const TOOLS = `Ways to find out, each from another terminal:
  npx tsx client                      a client; --help lists the ways in which it can behave badly
  npx tsx conformance -- npx tsx exercise N --port {port}
  npx tsx lab -- npx tsx exercise N --port {port}
  ss -tn, strace -f -p PID, top -p PID, nc`;

/** The command line is wrong. */
class UsageError extends Error {}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  const [text, ...more] = positionals;
  if (values.help) return say(HELP);
  if (more.length > 0) throw new UsageError(`one exercise at a time, not also ${quote(more[0])}`);
  if (text === undefined) return list();
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  const exercise = exercises[number - 1];
  if (!exercise) {
    throw new UsageError(`there are exercises 1 to ${exercises.length}, not ${quote(text)}`);
  }
  if (values.reveal) return reveal(number, exercise);
  if (values.hint) return say(exercise.hint);
  await serve(number, exercise, portFrom(values.port ?? (process.env.PORT || '12321')));
}

function readArguments() {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        hint: flag,
        reveal: flag,
        help: { ...flag, short: 'h' },
      },
    });
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(escapeBytes(Buffer.from(sentence)));
  }
}

function portFrom(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new UsageError(`--port takes a whole number from 0 to 65535, not ${quote(text)}`);
}

function list(): void {
  say('Each of these servers is wrong in one way. This is what its users complain about:\n');
  for (const [i, { complaint }] of exercises.entries()) {
    say(`${String(i + 1).padStart(3)}  ${complaint}`);
  }
  say('\nStart one with `npx tsx exercise N`; --hint and --reveal help.');
}

function reveal(number: number, { mutant, complaint }: Exercise): void {
  const file = `conformance/mutants/${mutant}.ts`;
  const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
  const defect = /\/\*\*\s*(.*?)\s*\*\//s.exec(source)?.[1]?.replace(/\s*\n\s*\*\s*/g, ' ');
  say(`Exercise ${number}: “${complaint}”\n`);
  say(`What is wrong (${mutant}): ${defect}\n`);
  say(`Checks that catch it:\n${mutants[mutant]?.map((id) => `  ${id}`).join('\n')}\n`);
  say(`${file}, which replaces a part of the right server in conformance/mutants/server.ts:\n`);
  say(source.trimEnd());
}

/**
 * Runs the wrong server in this process, so that neither a process list nor a file name tells which one it
 * is. What it says when it dies is passed on without the stack, which would name the file.
 */
async function serve(number: number, { mutant }: Exercise, port: number): Promise<void> {
  process.on('uncaughtException', ({ message }) => {
    process.stderr.write(`exercise ${number}: the server ended: ${message}\n`);
    process.exit(1);
  });
  process.env.MUTANT_NAME = `exercise ${number}`;
  process.argv.splice(2, Number.POSITIVE_INFINITY, '--port', String(port));
  await import(`../conformance/mutants/${mutant}.ts`);
  if (process.stderr.isTTY) process.stderr.write(`${TOOLS.replaceAll(' N ', ` ${number} `)}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function quote(text: string | undefined): string {
  return `"${escapeBytes(Buffer.from(text ?? ''))}"`;
}

process.stdout.on('error', () => process.exit(141)); // a reader that is gone (`| head -1`)
try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`exercise: ${error.message}; see --help\n`);
  process.exitCode = 2;
}
