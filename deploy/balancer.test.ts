/** What changes for the clients of an echo service when a balancer stands in front of it. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Client, connect } from '../client/client.ts';
import { ServerProcess } from '../conformance/server-process.ts';
import { Deployment, type DeploymentOptions } from './deployment.ts';
import { FaithfulClient } from './faithful-client.ts';
import { freePort } from './free-port.ts';
import {
  CONFIGURATION,
  Haproxy,
  type HaproxyOptions,
  NAMES,
  type Name,
  whyNoHaproxy,
} from './haproxy.ts';

const obstacle = whyNoHaproxy();
if (obstacle) console.warn(`not tested through a balancer: ${obstacle}`);

const deployments: { stop(): Promise<unknown> }[] = [];
const folder = mkdtempSync(path.join(tmpdir(), 'line-echo-deploy-'));
afterAll(async () => {
  await Promise.all(deployments.map((one) => one.stop()));
  rmSync(folder, { recursive: true });
});

async function deployed(options: Partial<DeploymentOptions> = {}): Promise<Deployment> {
  const deployment = await Deployment.start({
    program: 'models/epoll-loop',
    args: ['--log', 'off'],
    port: freePort(),
    ...options,
  });
  deployments.push(deployment);
  return deployment;
}

async function echo(client: Client, line: string): Promise<void> {
  await client.send(`${line}\r\n`);
  expect(String(await client.receive(line.length + 2))).toBe(`${line}\r\n`);
}

async function clientsOf(port: number, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) {
    const client = await connect({ port, name: `client ${i}` });
    await echo(client, `hello from ${i}`);
    clients.push(client);
  }
  return clients;
}

/** haproxy.cfg with something replaced. @returns the name of a file */
function variant(what: string | RegExp, by: string): string {
  const file = path.join(folder, `${Math.random()}.cfg`);
  writeFileSync(file, readFileSync(CONFIGURATION, 'utf8').replace(what, by));
  return file;
}

/** A balancer in front of one server, which it thinks are three. */
async function balancing(address: string, options: Partial<HaproxyOptions> = {}): Promise<Haproxy> {
  const servers = { one: address, two: address, three: address };
  const haproxy = await Haproxy.start({ port: freePort(), servers, ...options });
  deployments.push(haproxy.program);
  return haproxy;
}

/** A server in this process, of which the test sees everything. HAProxy thinks that it is three. */
async function observed(
  serve: (socket: Socket) => void,
): Promise<{ haproxy: Haproxy; server: Server }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const haproxy = await balancing(address);
  deployments.push({ stop: async () => server.close() });
  return { haproxy, server };
}

describe.skipIf(obstacle).concurrent(`behind HAProxy${obstacle ? `: ${obstacle}` : ''}`, () => {
  test('kill -9 of one server under load: its clients notice, and nobody else', async () => {
    const deployment = await deployed();
    const { port } = deployment;
    const clients = Array.from({ length: 30 }, (_, i) => new FaithfulClient(port, `c${i}`));
    for (const client of clients) {
      await client.send(1);
      await client.settle(); // one after another: least connections gives each server ten
    }
    let isOver = false;
    const traffic = clients.map(async (client) => {
      while (!isOver) {
        await client.send(20);
        await client.settle();
      }
      await client.close();
    });
    const { program } = deployment.server('two');
    program.kill('SIGKILL');
    await program.ended;
    // Whoever comes before the balancer knows is sent to another server, when the connect has failed.
    const newcomers = await clientsOf(port, 6);
    await deployment.until('two', 'DOWN');
    isOver = true;
    await Promise.all(traffic); // every line was answered, to those who noticed as well
    // Who came back at once may have met the dying process again: its listener is not closed first.
    expect(clients.filter(({ endings }) => endings.length > 0)).toHaveLength(10);
    await Promise.all(newcomers.map((one) => one.close()));
  });

  test('a server that is stopped accepts, but does not echo: the health check finds it', async () => {
    const deployment = await deployed();
    deployment.server('three').program.kill('SIGSTOP');
    await deployment.until('three', 'DOWN');
    const clients = await clientsOf(deployment.port, 6);
    expect((await deployment.balancer.state('three')).connections).toBe(0);
    deployment.server('three').program.kill('SIGCONT');
    await deployment.until('three', 'UP');
    await Promise.all(clients.map((one) => one.close()));
  });

  test('a rolling restart with lines under way loses none of them', async () => {
    const deployment = await deployed();
    const clients = Array.from(
      { length: 12 },
      (_, i) => new FaithfulClient(deployment.port, `c${i}`),
    );
    let isOver = false;
    const before = deployment.servers.map(({ program }) => program.pid);
    const traffic = clients.map(async (client) => {
      do {
        await client.send(50);
        await client.settle();
      } while (!isOver);
      await client.close();
      return client.answered;
    });
    await deployment.roll(0).finally(() => {
      isOver = true;
    });
    const answered = await Promise.all(traffic);
    for (const one of answered) expect(one % 50).toBe(0);
    // Each was at a server that ended, once at least, and saw an orderly end.
    for (const { endings } of clients) expect(endings.length).toBeGreaterThanOrEqual(1);
    const after = deployment.servers.map(({ program }) => program.pid);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  });

  test('complete lines that were sent before the restart are answered before the connection ends', async () => {
    const deployment = await deployed({ args: ['--log', 'off', '--wait', '20'] });
    const clients = await clientsOf(deployment.port, 6);
    const lines = Array.from({ length: 10 }, (_, i) => `line ${i}\r\n`).join('');
    for (const client of clients) await client.send(lines);
    const rolling = deployment.roll(0);
    for (const client of clients) {
      const { bytes, how } = await client.receiveEnd();
      expect(String(bytes)).toBe(lines);
      expect(how).toBe('fin');
      await client.close();
    }
    await rolling;
  });

  test('where no server is left, a client is accepted all the same, and then closed', async () => {
    const deployment = await deployed();
    for (const { program } of deployment.servers) program.kill('SIGKILL');
    await Promise.all(deployment.servers.map(({ program }) => program.ended));
    const client = await connect({ port: deployment.port }); // directly, it would be refused
    await client.send('is anybody there?\r\n').catch(() => undefined);
    const { bytes } = await client.receiveEnd();
    expect(bytes).toHaveLength(0);
  });

  test('a half-close and its answer go through; a reset arrives as a reset', async () => {
    const ends: Promise<string>[] = [];
    const { haproxy } = await observed((socket) => {
      socket.once('data', (bytes) => {
        if (String(bytes).startsWith('are you well?')) return socket.end(bytes);
        socket.write(bytes);
        ends.push(
          new Promise((resolve) => {
            socket.once('end', () => resolve('FIN'));
            socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(`${code}`));
          }),
        );
        return socket.once('end', () => socket.end('and goodbye\r\n'));
      });
      socket.on('error', () => undefined);
    });
    const polite = await connect({ port: haproxy.port });
    await echo(polite, 'first');
    await polite.halfClose();
    expect(String((await polite.receiveEnd()).bytes)).toBe('and goodbye\r\n');
    expect(await ends[0]).toBe('FIN');

    const rude = await connect({ port: haproxy.port });
    await echo(rude, 'second');
    await rude.reset();
    expect(await ends[1]).toBe('ECONNRESET');
  });

  test('the server sees the balancer’s address, and only the balancer’s log knows the client’s', async ({
    expect,
  }) => {
    const log: string[] = [];
    const deployment = await deployed({
      args: [],
      onLine: (who, line) => log.push(`${who}: ${line}`),
    });
    const client = await connect({
      port: deployment.port,
      from: { address: '127.0.0.99', port: 0 },
    });
    await echo(client, 'who am I?');
    const port = client.localPort;
    await client.close();
    const wanted = new RegExp(
      `haproxy: 127\\.0\\.0\\.99:${port} to (\\w+), which sees ([\\d.:]+):`,
    );
    await expect.poll(() => log.join('\n')).toMatch(wanted);
    const [, who, seen] = wanted.exec(log.join('\n')) as RegExpExecArray;
    expect(
      log.some((line) => line.startsWith(`${who}:`) && line.includes(` ${seen} connected`)),
    ).toBe(true);
    expect(log.some((line) => !line.startsWith('haproxy') && line.includes('127.0.0.99'))).toBe(
      false,
    );
  });

  test('its time-out ends whoever is silent, and also whoever waits for a slow server', async () => {
    const deployment = await deployed({ silence: '1s', args: ['--wait', '30000', '--log', 'off'] });
    const [silent, waiting] = [
      await connect({ port: deployment.port }),
      await connect({ port: deployment.port }),
    ];
    await silent.send('half a li');
    await waiting.send('a slow question\r\n');
    for (const client of [silent, waiting]) {
      const { bytes, how } = await client.receiveEnd();
      expect([bytes.length, how]).toEqual([0, 'fin']);
      await client.close();
    }
  });

  test('with send-proxy, the line that names the client comes back as the first echo', async () => {
    const server = await ServerProcess.start('conformance/reference.ts');
    // Without its check: that would have to expect such a line, too.
    const configuration = variant(/default-server check .*/, 'default-server send-proxy');
    const haproxy = await balancing(`127.0.0.1:${server.port}`, { configuration });
    deployments.push(server);
    const client = await connect({ port: haproxy.port });
    await client.send('hello\r\n');
    const first = String(await client.receiveLine());
    expect(first).toBe(`PROXY TCP4 127.0.0.1 127.0.0.1 ${client.localPort} ${haproxy.port}\r\n`);
    expect(String(await client.receiveLine())).toBe('hello\r\n');
    await client.close();
  });

  test('a health check ends with a reset: a server that dies of a reset dies without a client', async () => {
    const server = await ServerProcess.start('conformance/mutants/dies-of-a-reset.ts');
    deployments.push(server);
    await balancing(`127.0.0.1:${server.port}`);
    expect(await server.ended).toBe(1);
    expect(server.said).toContain('ECONNRESET');
  });

  test('blocking cannot answer the health check while it has a client, and keeps the client', async () => {
    const deployment = await deployed({ program: 'models/blocking', args: ['--log', 'off'] });
    const [client] = await clientsOf(deployment.port, 1);
    const { balancer } = deployment;
    const states = await Promise.all(NAMES.map((name) => balancer.state(name)));
    const busy = NAMES[states.findIndex(({ connections }) => connections > 0)] as Name;
    await deployment.until(busy, 'DOWN');
    await echo(client as Client, 'still served');
    await client?.close();
    await deployment.until(busy, 'UP');
  });

  test('on-marked-down shutdown-sessions ends the connections to a server that hangs', async () => {
    const configuration = variant(
      'default-server',
      'default-server on-marked-down shutdown-sessions',
    );
    const deployment = await deployed({ configuration });
    const clients = await clientsOf(deployment.port, 3);
    deployment.server('one').program.kill('SIGSTOP');
    await deployment.until('one', 'DOWN');
    const asked = clients.map(async (client) => {
      await client.send('still there?\r\n').catch(() => undefined);
      return client.receiveLine().then(
        () => 'answered',
        () => client.ending,
      );
    });
    expect((await Promise.all(asked)).sort()).toEqual(['answered', 'answered', 'fin']);
    deployment.server('one').program.kill('SIGCONT');
  });
});
