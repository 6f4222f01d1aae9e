/** `npx tsx exercise`, from outside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { connect } from '../client/client.ts';
import { ServerProcess } from '../conformance/server-process.ts';
import { exercises } from './exercises.ts';

async function exercise(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'exercise', ...args], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** The number of the exercise that starts a mutant. */
function numberOf(mutant: string): number {
  return 1 + exercises.findIndex((one) => one.mutant === mutant);
}

test('the list has each exercise once, and names no defect', async () => {
  const { code, out } = await exercise();
  expect(code).toBe(0);
  expect(out.match(/^ *\d+ /gm)).toHaveLength(exercises.length);
  expect(new Set(exercises.map(({ mutant }) => mutant)).size).toBe(exercises.length);
  for (const { mutant } of exercises) {
    expect(out).not.toContain(mutant);
    expect(existsSync(new URL(`../conformance/mutants/${mutant}.ts`, import.meta.url))).toBe(true);
  }
});

test('the server does not say what is wrong: not in its first line, nor to ps, nor when it dies', async () => {
  const number = numberOf('dies-of-a-reset');
  const server = await ServerProcess.start('exercise', [String(number)], { tsx: true });
  try {
    expect(server.said).toMatch(
      new RegExp(`^exercise ${number} listening on 127\\.0\\.0\\.1:\\d+`),
    );
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain('reset');
    const client = await connect({ port: server.port });
    await client.send('hello\r\nhal');
    expect(String(await client.receive(7))).toBe('hello\r\n');
    await client.reset();
    expect(await server.ended).toBe(1);
    expect(server.said).toMatch(/the server ended: read ECONNRESET\n$/);
    expect(server.said).not.toMatch(/mutant|dies|\.ts/);
  } finally {
    await server.stop();
  }
});

test('--hint points at a tool, --reveal says what is wrong and who catches it', async () => {
  const number = String(numberOf('greets'));
  const [hint, answer] = await Promise.all([
    exercise(number, '--hint'),
    exercise(number, '--reveal'),
  ]);
  expect(hint.out).toContain('npx tsx client');
  expect(answer.out).toMatch(/What is wrong \(greets\): Says hello first\./);
  expect(answer.out).toMatch(/Checks that catch it:\n {2}framing\/one-line/);
  expect(answer.out).toContain('extends EchoServer');
});

test('a wrong command line is one line, and exit code 2', async () => {
  const answers = await Promise.all([
    exercise('0'),
    exercise('x'),
    exercise('1', '2'),
    exercise('1', '--port', 'x'),
    exercise('--fast'),
  ]);
  for (const { code, out, err } of answers) {
    expect(err).toMatch(/^exercise: .+; see --help\n$/);
    expect(out).toBe('');
    expect(code).toBe(2);
  }
});
