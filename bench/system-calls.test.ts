/** The count of system calls, held against processes that make a known number of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { SystemCallCount, whyNoCount } from './system-calls.ts';

const why = await whyNoCount();

/** For each number that comes, it asks that often whether / exists (access(2)): half of it in a second thread. */
const PROGRAM = `
  const { accessSync } = require('fs');
  const { Worker } = require('worker_threads');
  const { createInterface } = require('readline');
  const ask = "for (let i = 0; i < half; i++) accessSync('/');";
  const other = "const { accessSync } = require('fs'); const { parentPort } = require('worker_threads');" +
    "parentPort.on('message', (half) => { " + ask + " parentPort.postMessage(0); });";
  const worker = new Worker(other, { eval: true });
  worker.on('message', () => console.log('done'));
  worker.on('online', () => console.log('ready'));
  createInterface({ input: process.stdin }).on('line', (line) => {
    const half = Number(line) / 2;
    for (let i = 0; i < half; i++) accessSync('/');
    worker.postMessage(half);
  });
`;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function program() {
  const child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  const ask = async (times: number) => {
    child.stdin.write(`${times}\n`);
    await once(child.stdout, 'data');
  };
  return { child, pid: child.pid as number, ask };
}

const accesses = (counts: ReadonlyMap<string, number>) =>
  (counts.get('access') ?? 0) + (counts.get('faccessat') ?? 0);

describe.skipIf(why)(`system calls${why ? ` (skipped: ${why})` : ''}`, () => {
  test('are counted in all processes and threads, from attach to detach', async () => {
    const [one, two] = [await program(), await program()];
    await one.ask(100);
    const count = await SystemCallCount.attach([one.pid, two.pid]);
    await one.ask(1000);
    await two.ask(400);
    const counts = await count.detach();
    expect(accesses(counts)).toBe(1400);
    // Both run on, and nobody traces them.
    await Promise.all([one.ask(10), two.ask(10)]);
    expect(readFileSync(`/proc/${one.pid}/status`, 'utf8')).toMatch(/^TracerPid:\s+0$/m);
  });

  test('of a process that has ended are an error', async () => {
    const { pid, child } = await program();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect(SystemCallCount.attach([pid])).rejects.toThrow(/No such process/);
  });
});
