/** Promises of the protocol that were broken once, seen from outside. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { type Client, connect } from '../client/client.ts';
import { nodeCommand } from '../conformance/node-command.ts';
import { distinctModels, echo, test } from './testbed.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

describe.concurrent.each(['blocking', 'poll-loop', 'rxjs'])('%s', (model) => {
  test('a second signal during a long line ends it when the line is done', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, ['--work', '500']);
    const client = await clientOf(server);
    await client.send('takes its time\r\n'.repeat(3));
    await client.receive(16); // the second is being worked on
    process.kill(server.pid, 'SIGTERM');
    await sleep(200);
    process.kill(server.pid, 'SIGTERM');
    expect(await server.ended).toBe(143);
  });

  test('a copy of a signal, as a parent in the same process group sends it, is not a second one', async ({
    expect,
    testbed: { clientOf },
  }) => {
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

describe.concurrent.each(distinctModels)('%s', (model) => {
  test('a slow reader is not idle while it acknowledges bytes', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, ['--idle-timeout', '1']);
    const client = await clientOf(server, { receiveBuffer: 65536 });
    await echo(client);
    client.pause();
    const chunk = Buffer.from(`${'x'.repeat(1007)}\r\n`.repeat(65));
    await client.flood(chunk, { limit: 2 ** 24, stall: 300 });
    // 200 kB/s for three times as long as the timeout.
    const before = client.received;
    const until = performance.now() + 3000;
    while (performance.now() < until && client.ending === undefined) {
      client.resume();
      await setImmediate();
      client.pause();
      await sleep(200);
    }
    expect(client.received).toBeGreaterThan(before);
    expect(client.ending).toBeUndefined();
    expect(server.said).not.toContain('idle');
  });

  test('a reader that has stopped is idle', async ({ expect, testbed: { start, clientOf } }) => {
    const server = await start(model, ['--idle-timeout', '0.5']);
    const client = await clientOf(server, { receiveBuffer: 4096 });
    client.pause();
    await client.flood(Buffer.from('x\r\n'.repeat(20_000)), { limit: 2 ** 24, stall: 300 });
    await expect.poll(() => server.said).toContain('closed (idle)');
  });

  test('a tiny --idle-timeout closes the client, and the server can be ended', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, ['--idle-timeout', '0.0000001']);
    const client = await clientOf(server);
    expect((await client.receiveEnd()).bytes.length).toBe(0);
    process.kill(server.pid, 'SIGTERM');
    expect(await server.ended).toBe(0);
    await clientOf(await start(model, ['--idle-timeout', '0.9999996'])).then((other) =>
      echo(other),
    );
  });

  test('a client that resets after an overlong line: the log tells of the line', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model, ['--max-line', '100']);
    const client = await clientOf(server);
    // The line and the reset are both there when the server looks.
    process.kill(server.pid, 'SIGSTOP');
    await client.send('x'.repeat(200));
    await client.reset();
    process.kill(server.pid, 'SIGCONT');
    await expect.poll(() => server.said).toContain('closed (');
    expect(server.said).not.toContain('ENOTCONN');
  });

  test('the hint at --eol lf comes while the client waits', async ({
    expect,
    testbed: { start, clientOf },
  }) => {
    const server = await start(model);
    const client = await clientOf(server);
    await client.send('from a plain nc\n');
    await expect
      .poll(() => server.said)
      .toMatch(/#\S*1 [^\n]* waits [^\n]*16 bytes[^\n]*--eol lf\n/);
    expect(server.said.match(/--eol/g)?.length).toBe(1);
  });

  test('newcomers are refused after SIGTERM', async ({ expect, testbed: { start, clientOf } }) => {
    const server = await start(model, ['--work', '400']);
    const client = await clientOf(server);
    await client.send('x\r\n'.repeat(4));
    await client.receive(3);
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(() => server.said).toContain('stopping');
    // In a cluster each worker closes its listener between two lines.
    const knock = async () => {
      const newcomer = await connect({ port: server.port });
      await newcomer.destroy();
    };
    await expect.poll(() => knock().catch(String)).toContain('ECONNREFUSED');
  });

  test.runIf(process.platform === 'linux')(
    'silent peers are probed',
    async ({ expect, testbed: { start, clientOf } }) => {
      const server = await start(model);
      await echo(await clientOf(server));
      const sockets = execFileSync('ss', ['-tno', `sport = :${server.port}`], { encoding: 'utf8' });
      expect(sockets).toContain('timer:(keepalive');
    },
  );
});

test('poll-loop answers lines that came together in the order of the clients, also when one leaves', async ({
  expect,
  testbed: { start, clientOf },
}) => {
  const server = await start('poll-loop', ['--wait', '300']);
  const clients: Client[] = [];
  for (let i = 0; i < 6; i++) {
    const client = await clientOf(server);
    await client.send('warm\r\n');
    clients.push(client);
  }
  for (const client of clients) await client.receive(6);
  const [first, ...others] = clients as [Client, ...Client[]];
  process.kill(server.pid, 'SIGSTOP'); // all lines are there at once, when the first client has left
  await first.halfClose();
  for (const client of others) await client.send('now\r\n');
  process.kill(server.pid, 'SIGCONT');
  const order: number[] = [];
  await Promise.all(
    others.map(async (client, i) => {
      await client.receive(5);
      order.push(i);
    }),
  );
  expect(order).toEqual([0, 1, 2, 3, 4]); // and the same once more, in the table without the first
  process.kill(server.pid, 'SIGSTOP');
  for (const client of others.toReversed()) await client.send('now\r\n');
  process.kill(server.pid, 'SIGCONT');
  await Promise.all(
    others.map(async (client, i) => {
      await client.receive(5);
      order.push(i);
    }),
  );
  expect(order.slice(5)).toEqual([0, 1, 2, 3, 4]);
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

describe.concurrent.each(['blocking', 'poll-loop', 'rxjs'])('%s', (model) => {
  test('a terminal that is stopped with Ctrl-S does not stop the service', async ({ expect }) => {
    const command = [...nodeCommand(`models/${model}`), '--port', '0'];
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
  });
});
