/** A service of HTTP behind HAProxy: what docs/beyond-one-machine.md says of a service of your own. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { Deployment } from './deployment.ts';
import { freePort } from './free-port.ts';
import { whyNoHaproxy } from './haproxy.ts';

const obstacle = whyNoHaproxy();
if (obstacle) console.warn(`no HTTP through a balancer: ${obstacle}`);

const configuration = fileURLToPath(new URL('http.cfg', import.meta.url));
let deployment: Deployment | undefined;
afterEach(() => deployment?.stop());

/** Three services. @param wait - milliseconds that each request takes */
async function deployed(wait: number): Promise<Deployment> {
  const program = 'deploy/http-service.ts';
  const args = ['--wait', String(wait)];
  deployment = await Deployment.start({ program, args, port: freePort(), configuration });
  return deployment;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function get(port: number, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', agent, path: '/' }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.once('error', reject).end();
  });
}

/** Clients that ask again and again, each on one connection. @returns all their answers */
async function load(port: number, clients: number, isOver: () => boolean): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const each = Array.from({ length: clients }, async () => {
    const answers: Answer[] = [];
    while (!isOver()) answers.push(await get(port, agent));
    return answers;
  });
  const all = (await Promise.all(each)).flat();
  agent.destroy();
  return all;
}

describe.skipIf(obstacle)('a service of HTTP behind HAProxy', () => {
  test('is restarted, one server after another, and every request is answered', async () => {
    const { port } = await deployed(20);
    let isOver = false;
    const answers = load(port, 12, () => isOver);
    // Until it has no request. With no grace at all a request may be on its way to a connection that is idle still.
    await deployment?.roll(5000);
    isOver = true;
    const all = await answers;
    expect(all.length).toBeGreaterThan(36);
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    // The requests of one connection have gone to all servers.
    for (const host of ['127.0.0.11', '127.0.0.12', '127.0.0.13']) {
      expect(all.some(({ body }) => body === `${host} answers 127.0.0.1\n`)).toBe(true);
    }
  });

  test('loses with a server that is killed the requests that it had, and no others', async () => {
    const { port, balancer, server } = await deployed(400).then((one) => ({
      ...{ port: one.port, balancer: one.balancer },
      server: one.server('one'),
    }));
    const agent = new Agent({ keepAlive: true });
    const answers = Promise.all(Array.from({ length: 9 }, () => get(port, agent)));
    let had = 0;
    while (had < 3) {
      ({ connections: had } = await balancer.state('one'));
      await sleep(5);
    }
    server.program.kill('SIGKILL');
    const statuses = (await answers).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(6).fill(200), ...Array(3).fill(502)]);
    // The next ones, too, before a health check has seen anything.
    const next = await Promise.all(Array.from({ length: 9 }, () => get(port, agent)));
    expect(next.map(({ status }) => status)).toEqual(Array(9).fill(200));
    agent.destroy();
  });
});

test('http.cfg differs from haproxy.cfg by what the page says', () => {
  const lines = (name: string) =>
    readFileSync(new URL(name, import.meta.url), 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
  const [tcp, http] = [lines('haproxy.cfg'), lines('http.cfg')];
  expect(http.filter((line) => !tcp.includes(line))).toEqual([
    'mode http',
    'option httplog',
    'option forwardfor',
    'timeout http-request 10s',
    'option httpchk GET /healthy',
  ]);
});
