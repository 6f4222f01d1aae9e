/** The small servers: the right ones pass, the naive ones fail, and the suite says in what. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Check } from '../conformance/check.ts';
import { checks } from '../conformance/checks/index.ts';
import { Command } from '../conformance/contestants.ts';
import { judge } from '../conformance/suite.ts';

const directory = mkdtempSync(join(tmpdir(), 'examples-'));
afterAll(() => rmSync(directory, { recursive: true }));

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const isThere = (program: string) => !spawnSync(program, ['--version']).error;

/** Builds a C program. @returns where it is */
function built(name: string): string {
  const program = join(directory, name);
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread', '-o', program];
  const { status, stderr } = spawnSync('cc', [...flags, here(`${name}.c`)], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return program;
}

/** A port that was free a moment ago, and that the kernel gives to nobody of its own accord. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return port;
  }
}

const isMust = ({ level }: Check) => level === 'must';

/** What a server fails of some checks. */
async function failuresOf(
  command: string[],
  isAsked: (check: Check) => boolean,
): Promise<string[]> {
  const contestant = new Command(command, await freePort(), 20_000, new Map(), () => undefined);
  const { verdicts } = await judge(contestant, checks.filter(isAsked), {
    slowFactor: 1,
    signal: new AbortController().signal,
    onCheck: () => undefined,
    onVerdict: () => undefined,
  });
  const wrong = verdicts.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'unsupported');
  return wrong.map(({ check, message }) => `${check.id}: ${message}`);
}

const languages = [
  {
    language: 'python3',
    commandOf: (name: string) => ['python3', here(`${name}.py`)],
    naive: /one-line|second-client/,
    fails: [/^concurrency\/second-client-while-first-idles/],
  },
  {
    language: 'cc',
    commandOf: (name: string) => [built(name)],
    naive: /one-line|longest-line$/,
    fails: [/^limits\/longest-line/],
  },
  {
    language: 'node',
    commandOf: (name: string) => ['node', here(`${name}.mjs`)],
    naive: /one-line|invalid-utf8/,
    fails: [/^framing\/invalid-utf8/],
  },
];

for (const { language, commandOf, naive, fails } of languages) {
  describe.skipIf(!isThere(language)).concurrent(language, () => {
    // All checks take minutes on a busy machine; README.md says what they found.
    test('the right server passes', { timeout: 120_000 }, async () => {
      expect(await failuresOf(commandOf('echo'), isMust)).toEqual([]);
    });

    test('the naive server fails', { timeout: 60_000 }, async () => {
      expect(await failuresOf(commandOf('naive'), ({ id }) => naive.test(id))).toEqual(
        fails.map((pattern) => expect.stringMatching(pattern)),
      );
    });
  });
}
