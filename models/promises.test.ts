/** Promises of the protocol that were broken once, seen from outside. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { connect } from '../client/client.ts';
import { clientOf, echo, start } from './testbed.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

describe.each(['blocking', 'poll-loop'])('%s', (model) => {
  test('a second signal during a long line ends it when the line is done', async () => {
    const server = await start(model, ['--work', '1000']);
    const client = await clientOf(server);
    await client.send('takes its time\r\n'.repeat(3));
    await client.receive(16); // the second is being worked on
    process.kill(server.pid, 'SIGTERM');
    await sleep(300);
    process.kill(server.pid, 'SIGTERM');
    expect(await server.ended).toBe(143);
  });

  test('a copy of a signal, as a parent in the same process group sends it, is not a second one', async () => {
    const child = spawn(
      'sh',
      ['-c', `"$0" --import tsx models/${model} --port 0; echo "exit code $?"`, process.execPath],
      { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    try {
      await expect.poll(() => said).toContain('(pid ');
      const pid = Number(/pid (\d+)/.exec(said)?.[1]);
      const client = await clientOf({ port: Number(/:(\d+) /.exec(said)?.[1]) });
      await echo(client); // stays, and is waited for
      process.kill(pid, 'SIGTERM');
      await expect.poll(() => said, { interval: 1 }).toContain('stopping');
      process.kill(pid, 'SIGTERM');
      await expect.poll(() => said).toContain('exit code 0');
    } finally {
      try {
        process.kill(-(child.pid as number), 'SIGKILL');
      } catch {} // all gone
    }
  });
});

test('--help whose reader has gone', () => {
  // The reader has closed its end before the model starts.
  const command = `{ exec 3>&1; sleep 0.2; "$0" --import tsx models/poll-loop --help 2>&1 1>&3; echo "exit code $?" >&2; } | true`;
  const child = execFileSync('sh', ['-c', `(${command}) 2>&1`, process.execPath], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(child).toBe('exit code 0\n');
});

const PTY = `
import os, pty, subprocess, sys, threading
master, slave = pty.openpty()
server = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave)
os.close(slave)
def show():
    try:
        while True: os.write(1, os.read(master, 65536))
    except OSError: pass
shown = threading.Thread(target=show)
shown.start()
def type_keys():
    for line in sys.stdin: os.write(master, bytes.fromhex(line))
threading.Thread(target=type_keys, daemon=True).start()
code = server.wait()
shown.join()
os.write(1, b'exit code %d' % code)
os._exit(0)
`;

test.each(['blocking', 'poll-loop', 'rxjs'])(
  '%s: a terminal that is stopped with Ctrl-S does not stop the service',
  async (model) => {
    const command = [process.execPath, '--import', 'tsx', `models/${model}`, '--port', '0'];
    const terminal = spawn('python3', ['-c', PTY, ...command], {
      cwd: root,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let said = '';
    terminal.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    try {
      await expect.poll(() => said).toContain('(pid ');
      const port = Number(/:(\d+) /.exec(said)?.[1]);
      terminal.stdin.write('13\n'); // Ctrl-S
      await sleep(200);
      const before = said;
      for (let i = 0; i < 200; i++) {
        const client = await connect({ port, name: `${i}`, timeout: 5000 });
        await echo(client);
        await client.close();
      }
      expect(said).toBe(before); // it was stopped
      terminal.stdin.write('11\n'); // Ctrl-Q
      await expect.poll(() => said.match(/closed/g)?.length).toBe(200);
      terminal.stdin.write('13\n');
      await sleep(200);
      await (await connect({ port, name: 'last' })).close();
      process.kill(Number(/pid (\d+)/.exec(said)?.[1]), 'SIGTERM');
      await once(terminal, 'exit');
      expect(said).toContain('exit code 0');
    } finally {
      try {
        process.kill(-(terminal.pid as number), 'SIGKILL');
      } catch {} // all gone
    }
  },
);
