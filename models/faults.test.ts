/** System calls, descriptors, and processes that die: what a model promises beyond the protocol. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Client, connect } from '../client/client.ts';
import { leaveDescriptors } from '../conformance/descriptor-limit.ts';
import { nodeCommand } from '../conformance/node-command.ts';
import { commandOf, processesOf, systemCallOf } from '../conformance/processes.ts';
import { ServerProcess } from '../conformance/server-process.ts';
import { clientOf, echo, models, root, start } from './testbed.ts';

/** A module that runs before the model does, in each of its processes and threads. */
const moduleOf = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;

const ticksOf = (server: ServerProcess) =>
  processesOf(server.pid).reduce((sum, { ticks }) => sum + ticks, 0);

describe.runIf(process.platform === 'linux')('on Linux', () => {
  // Numbers from asm/unistd.h; arm64 has no poll and no epoll_wait, its libc calls ppoll and epoll_pwait.
  const numbers = {
    x64: { accept: '43', poll: '7', epoll: '232' },
    arm64: { accept: '202', poll: '73', epoll: '22' },
  };
  const { accept, poll, epoll } = numbers[process.arch as 'x64' | 'arm64'] ?? {};
  const ioUring = models.filter((model) => model === 'io-uring');
  const waits: [string, string | undefined][] = [
    ['blocking', accept],
    ['poll-loop', poll],
    ['epoll-loop', epoll],
    ['coroutines', epoll],
    ...ioUring.map((model): [string, string] => [model, '426']),
  ];
  test.runIf(accept).each(waits)('an idle %s is in system call %s', async (model, call) => {
    const server = await start(model);
    const client = await clientOf(server);
    await echo(client);
    await client.close();
    await expect.poll(() => systemCallOf(server.pid)).toBe(call);
  });

  test('idle models use no CPU, also with a client that says nothing', async () => {
    const idle = await Promise.all(models.map((model) => start(model)));
    for (const server of idle) await echo(await clientOf(server));
    await sleep(1500); // the compiler and the garbage collector finish what start-up left them
    const before = idle.map(ticksOf);
    await sleep(2000);
    for (const [i, server] of idle.entries()) {
      // Ticks of 10 ms: 1 % of 2 s.
      expect(ticksOf(server) - (before[i] as number), models[i]).toBeLessThanOrEqual(2);
    }
  });

  test('lines of a client that has left are not paid for', async () => {
    const busy = await Promise.all(models.map((model) => start(model, ['--work', '5'])));
    for (const server of busy) {
      const client = await clientOf(server);
      await client.send('a line\r\n'.repeat(1000)); // 5 s of work
      await client.receive(8);
      await client.reset();
    }
    const restless = async () => {
      const before = busy.map(ticksOf);
      await sleep(300);
      return models.filter((_, i) => ticksOf(busy[i] as ServerProcess) - (before[i] as number) > 5);
    };
    await expect.poll(restless, { timeout: 3000 }).toEqual([]);
  });

  const loops = ['poll-loop', 'epoll-loop', 'coroutines', ...ioUring];

  test.each(loops)('%s without a free descriptor waits for a client to leave', async (model) => {
    const server = await start(model, [], { descriptors: 48 });
    const inside: Client[] = [];
    // More than there are descriptors: some are accepted, the others stay in the backlog.
    for (let i = 0; i < 60; i++) inside.push(await clientOf(server));
    for (const client of inside) await client.send('in or waiting?\r\n');
    await expect.poll(() => server.said).toContain('EMFILE');
    const served = () => inside.filter(({ received }) => received > 0);
    await expect.poll(() => served().length).toBeGreaterThan(0);
    await sleep(300); // who is in is answered now
    const before = ticksOf(server);
    const servedBefore = served().length;
    expect(servedBefore).toBeLessThan(60);
    await sleep(1000);
    expect(ticksOf(server) - before).toBeLessThan(20); // it does not spin
    for (const client of served().slice(0, 10)) await client.close();
    await expect.poll(() => served().length).toBeGreaterThanOrEqual(servedBefore + 9);
    expect(server.isRunning).toBe(true);
  });

  // Not io-uring: the kernel looks at the limit when an accept begins, and this one began long ago.
  test.each(['blocking', ...loops.filter((model) => model !== 'io-uring')])(
    '%s without a free descriptor for its only client tries again',
    async (model) => {
      const server = await start(model);
      // Once somebody has come and gone, all that it opened in order to start is closed again.
      const visitor = await clientOf(server);
      await echo(visitor);
      await visitor.close();
      await expect.poll(() => server.said).toContain('closed (end of input)');
      const giveBack = await leaveDescriptors(server.pid, 0);
      // A blocking accept finds out at its next call, before anybody comes; the one that waits now has a
      // descriptor already.
      if (model === 'blocking') await expect.poll(() => server.said).toContain('EMFILE');
      const client = await clientOf(server);
      await client.send('hello\r\n');
      await expect.poll(() => server.said).toContain('EMFILE');
      const before = ticksOf(server);
      await sleep(500);
      expect(ticksOf(server) - before).toBeLessThan(10);
      await giveBack();
      expect(String(await client.receive(7))).toBe('hello\r\n');
    },
  );
});

const hasStrace = spawnSync('strace', ['-V']).error === undefined;

test.skipIf(!hasStrace)('where the system forbids io_uring, io-uring says so in one line', () => {
  const inject = ['-qq', '-f', '-o', '/dev/null', '-e', 'inject=io_uring_setup:error=EPERM'];
  const server = [process.execPath, '--import', 'tsx', 'models/io-uring', '--port', '0'];
  const { status, stdout, stderr } = spawnSync('strace', [...inject, ...server], {
    cwd: root,
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^io-uring: io_uring_setup EPERM: this system forbids io_uring[^\n]*\n$/);
});

describe('where there are no BSD socket calls', () => {
  const preload =
    'data:text/javascript,Object.defineProperty(process, "platform", { value: "freebsd" });';

  // The primary of cluster opens its listeners itself, to keep them open whatever happens to its workers.
  test.each(['blocking', 'poll-loop', 'epoll-loop', 'coroutines', 'cluster'])(
    '%s says so in one line',
    async (model) => {
      const start = ServerProcess.start(`models/${model}`, [], { preload });
      await expect(start).rejects.toThrow(
        /ended with 1 before it listened: [a-z-]+: [^\n]*this is freebsd: on Windows use WSL\n?$/,
      );
    },
  );

  test.each(['events', 'async-await', 'worker-threads', 'rxjs'])(
    '%s serves all the same',
    async (model) => {
      await echo(await clientOf(await start(model, [], { preload })));
    },
  );
});

describe('cluster', () => {
  const workersOf = (server: ServerProcess) =>
    processesOf(server.pid).filter(
      ({ pid, parent }) => parent === server.pid && commandOf(pid).includes('models/cluster'),
    );

  test.runIf(process.platform === 'linux')(
    'kill -9 of a worker: only its own clients notice, new ones are served throughout',
    async () => {
      const server = await start('cluster', ['--workers', '2', '--log', 'json']);
      const old = [];
      for (let i = 0; i < 40; i++) {
        const client = await clientOf(server);
        await echo(client);
        old.push(client);
      }
      const victim = workersOf(server)[0]?.pid as number;
      const connected = server.said
        .split('\n')
        .filter((line) => line.includes(`"id":"${victim}/`) && line.includes('"connected"')).length;
      let newcomers = 0;
      let lost = 0;
      let running = true;
      const stream = (async () => {
        while (running) {
          const client = await connect({ port: server.port, timeout: 5000 });
          await client.send('new\r\n');
          // One that the victim had accepted already is its client, and may notice.
          const answer = await client.receiveLine().then(String, (error) => error.reason);
          if (answer !== 'reset' && answer !== 'fin') expect(answer).toBe('new\r\n');
          else lost++;
          newcomers++;
          await client.destroy();
        }
      })();
      await expect.poll(() => newcomers).toBeGreaterThan(10);
      process.kill(victim, 'SIGKILL');
      await expect.poll(() => server.said).toContain('takes its place');
      const before = newcomers;
      await expect.poll(() => newcomers).toBeGreaterThan(before + 10);
      running = false;
      await stream;
      expect(lost).toBeLessThanOrEqual(1);
      const noticed = old.filter(({ ending }) => ending !== undefined);
      expect(noticed.length).toBe(connected);
      for (const client of old.filter(({ ending }) => ending === undefined)) await echo(client);
      await expect.poll(() => workersOf(server).length).toBe(2);
    },
  );

  test('gives up when workers die at once again and again', async () => {
    const preload =
      'data:text/javascript,import c from "node:cluster"; if (c.isWorker) process.exit(7);';
    const [node = '', ...program] = nodeCommand('models/cluster', { preload });
    const child = spawn(node, [...program, '--port', '0', '--workers', '1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: root,
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(said).toMatch(/^cluster: 5 workers in a row died at once, the last with exit code 7\n$/);
  });

  test('gives up, too, when the workers take their time to die', async () => {
    // As they do when many start at once on few cores.
    const preload = moduleOf(`import c from "node:cluster";
      if (c.isWorker) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200), process.exit(7);`);
    await expect(start('cluster', ['--workers', '5'], { preload })).rejects.toThrow(
      'ended with 1 before it listened',
    );
  });

  test('a worker that dies before it listens is replaced, and the start goes on', async () => {
    const preload = moduleOf(
      'import c from "node:cluster"; if (c.worker?.id === 1) process.exit(7);',
    );
    const server = await start('cluster', ['--workers', '2'], { preload });
    await echo(await clientOf(server));
  });

  test('where it listens is its first line, even when a client was served before', async () => {
    const placeholder = createServer().listen(0, '127.0.0.1');
    await once(placeholder, 'listening');
    const { port } = placeholder.address() as { port: number };
    await new Promise((resolve) => placeholder.close(resolve));
    let knocking = true;
    const knocks = (async () => {
      while (knocking) {
        await connect({ port }).then(
          (client) => client.destroy(),
          () => {}, // not there yet
        );
        await sleep(5);
      }
    })();
    const server = await start('cluster', ['--workers', '4', '--port', `${port}`]).finally(() => {
      knocking = false;
    });
    await knocks;
    expect(server.said).toMatch(/^cluster listening on /);
    await expect.poll(() => server.said).toContain('connected');
    const client = await clientOf(server);
    await echo(client);
  });

  test('it listens on both addresses before it says so', async () => {
    const preload = moduleOf(`import net from 'node:net';
      import cluster from 'node:cluster';
      const { listen } = net.Server.prototype;
      let listeners = 0;
      if (cluster.isWorker) net.Server.prototype.listen = function (...args) {
        setTimeout(() => listen.apply(this, args), listeners++ * 300);
        return this;
      };`);
    const server = await start('cluster', ['--workers', '2'], { preload });
    const client = await clientOf(server, { host: '::1' });
    await echo(client);
  });

  test.runIf(process.platform === 'linux')(
    '--max-connections stays exact when workers die among clients that come and go',
    async () => {
      const server = await start('cluster', ['--workers', '2', '--max-connections', '3']);
      let storming = true;
      const storm = Array.from({ length: 8 }, async () => {
        while (storming) {
          const client = await connect({ port: server.port });
          await client.send('storm\r\n').catch(() => {});
          await client.receiveLine({ timeout: 500 }).catch(() => {});
          await client.destroy();
        }
      });
      await sleep(500);
      const victim = workersOf(server)[0]?.pid as number;
      process.kill(victim, 'SIGKILL');
      const others = () => workersOf(server).filter(({ pid }) => pid !== victim);
      await expect.poll(() => others().length).toBe(2);
      await sleep(500);
      storming = false;
      await Promise.all(storm);
      // The last of the storm may still be counted for a moment.
      const stays: Client[] = [];
      await expect
        .poll(async () => {
          const client = await clientOf(server);
          await client.send('stays\r\n').catch(() => {});
          const served = await client.receiveLine().then(Boolean, () => false);
          if (served) stays.push(client);
          return stays.length;
        })
        .toBe(3);
      for (let i = 0; i < 3; i++) {
        const client = await clientOf(server);
        await client.send('one too many\r\n').catch(() => {});
        expect((await client.receiveEnd()).bytes.length).toBe(0);
      }
    },
  );
});

describe('worker-threads', () => {
  test.each([
    ['ends', 'process.exit(3)'],
    ['throws', 'throw new Error("a bug")'],
  ])('a thread that %s costs only the clients whose lines it held', async (_, how) => {
    // With --work a thread looks for the end of each line: here, one that it looks at is its end.
    const preload = moduleOf(`
      import { isMainThread } from 'node:worker_threads';
      const { indexOf } = Buffer.prototype;
      if (!isMainThread) Buffer.prototype.indexOf = function (...args) {
        if (indexOf.call(this, 'die now') >= 0) { ${how} }
        return indexOf.apply(this, args);
      };`);
    const args = ['--workers', '2', '--work', '0.1'];
    const server = await start('worker-threads', args, { preload });
    const bystanders = [await clientOf(server), await clientOf(server), await clientOf(server)];
    for (const client of bystanders) await echo(client);
    let isLoaded = true;
    const load = bystanders.map(async (client) => {
      while (isLoaded) await echo(client);
    });
    const victim = await clientOf(server);
    await victim.send('die now\r\n');
    const { bytes } = await victim.receiveEnd();
    expect(bytes.length).toBe(0);
    for (const client of [await clientOf(server), await clientOf(server)]) await echo(client);
    isLoaded = false;
    await Promise.all(load);
    await echo(await clientOf(server));
    expect(server.said).toContain('a thread of the pool died');
  });

  test.each([
    ['ends', 'process.exit(3)'],
    ['throws', 'throw new Error("a bug")'],
  ])('a thread that %s while it has nothing to do costs nobody anything', async (_, how) => {
    // The first two threads only, which take a place each: those that follow them live on.
    const places = mkdtempSync(join(tmpdir(), 'threads-'));
    const preload = moduleOf(`
      import { isMainThread, workerData } from 'node:worker_threads';
      import { mkdirSync, writeSync } from 'node:fs';
      const takesPlace = (n) => {
        try { mkdirSync('${places}/' + n); return true; } catch { return false; }
      };
      if (!isMainThread && workerData && (takesPlace(1) || takesPlace(2))) setTimeout(() => {
        writeSync(2, 'gone;');
        ${how}
      }, 600);`);
    const server = await start('worker-threads', ['--workers', '2'], { preload });
    const client = await clientOf(server);
    await expect.poll(() => server.said).toMatch(/gone;.*gone;/s);
    await sleep(500); // a line that is handed to a thread in its last moment may be lost with it
    for (let i = 0; i < 10; i++) await echo(client);
    await echo(await clientOf(server));
    expect(server.isRunning).toBe(true);
    rmSync(places, { recursive: true });
  });

  test('a thread that dies of a batch costs only the clients in it', async () => {
    // Without --work the lines of a turn are one task; what a thread does with it is to move it back.
    // (require: piscina's module for import copies workerData, which a thread does not have yet.)
    const preload = moduleOf(`
      import { createRequire } from 'node:module';
      import { isMainThread } from 'node:worker_threads';
      const { Piscina } = createRequire('${import.meta.url}')('piscina');
      const { move } = Piscina;
      if (!isMainThread) Piscina.move = (lines) => {
        if (Buffer.from(lines).includes('die now')) process.exit(3);
        return move(lines);
      };`);
    const server = await start('worker-threads', ['--workers', '2'], { preload });
    const bystanders = [await clientOf(server), await clientOf(server), await clientOf(server)];
    for (const client of bystanders) await echo(client);
    for (let i = 0; i < 4; i++) {
      const victim = await clientOf(server);
      await victim.send('die now\r\n');
      expect((await victim.receiveEnd()).bytes.length).toBe(0);
      for (const client of bystanders) await echo(client);
    }
    await echo(await clientOf(server));
  });
});
