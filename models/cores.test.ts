/** Each model’s core.ts fulfils the task: every check of level must, but for what is declared impossible. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { connect } from '../client/client.ts';
import type { Target } from '../conformance/check.ts';
import { checks } from '../conformance/checks/index.ts';
import { declarations } from '../conformance/declarations.ts';
import { measureRoundTrip, runCheck } from '../conformance/run.ts';
import { ServerProcess } from '../conformance/server-process.ts';
import { isAsked, testableModels } from '../conformance/testable-models.ts';

const PATIENCE_MS = 5000;
/** For what is declared impossible: long enough to do it all the same, were the reason wrong. */
const DECLARED_PATIENCE_MS = 1000;

/** A module that is loaded before a core: at each SIGUSR2 it collects garbage, and says how many sockets are left. */
const SAYS_SOCKETS = `data:text/javascript,${encodeURIComponent(`
  import { Socket } from 'node:net';
  import { queryObjects } from 'node:v8';
  process.on('SIGUSR2', () => console.log(queryObjects(Socket, { format: 'count' }), 'sockets'));
`)}`;

const here = new URL('.', import.meta.url);
const cores = testableModels().filter((name) => existsSync(new URL(`${name}/core.ts`, here)));
const musts = checks.filter(({ level }) => level === 'must');

test('there are cores, and musts', () => {
  expect(cores.length).toBeGreaterThan(0);
  expect(musts.length).toBeGreaterThan(5);
});

describe.concurrent.each(cores)('%s', (name) => {
  const declared = declarations[name] ?? {};
  let server: ServerProcess;
  let target: Target;
  let roundTrip: number;

  beforeAll(async () => {
    const core = fileURLToPath(new URL(`${name}/core.ts`, here));
    vi.stubEnv('PORT', '0'); // a core has no options
    server = await ServerProcess.start(core);
    vi.unstubAllEnvs();
    target = { name, host: server.host, port: server.port, maxLine: 65536, group: server.pid };
    roundTrip = await measureRoundTrip(target);
  });
  afterAll(async () => {
    await server?.stop();
  });

  test.sequential('says where it listens, in one line', () => {
    expect(server.said).toBe(
      `${name} core listening on 127.0.0.1:${server.port} (pid ${server.pid})\n`,
    );
  });

  test.sequential.each(
    musts.filter(({ id }) => isAsked(name, id)).map((check) => [check.id, check] as const),
  )('%s', { timeout: 90_000 }, async (_, check) => {
    const reason = declared[check.id];
    if (!reason && check.needs?.some((id) => declared[id])) return;
    const patience = reason ? DECLARED_PATIENCE_MS : PATIENCE_MS;
    const verdict = await runCheck(check, target, patience, roundTrip);
    const account = `${verdict.message}\n${verdict.transcript.slice(-3000)}\n${server.said}`;
    expect(server.isRunning, `the server has ended: ${account}`).toBe(true);
    if (verdict.outcome === 'unsupported') return;
    if (reason) expect(verdict.outcome, `declared as impossible (${reason})`).toBe('fail');
    else expect(verdict.outcome, account).toBe('pass');
  });
});

describe.each(['events', 'async-await', 'rxjs'])('%s', (name) => {
  let server: ServerProcess;
  afterEach(() => server?.stop());

  test('keeps nothing of clients that have left', async () => {
    vi.stubEnv('PORT', '0');
    server = await ServerProcess.start(`models/${name}/core.ts`, [], { preload: SAYS_SOCKETS });
    vi.unstubAllEnvs();
    const sockets = async () => {
      const { length } = server.said;
      process.kill(server.pid, 'SIGUSR2');
      const answer = () => /(\d+) sockets/.exec(server.said.slice(length))?.[1];
      await expect.poll(answer).toBeDefined();
      return answer();
    };
    const before = await sockets();
    for (let i = 0; i < 10; i++) {
      const client = await connect({ port: server.port });
      await client.send('hello\r\n');
      await client.halfClose();
      await client.receiveEnd();
    }
    await expect.poll(sockets).toBe(before);
  });
});
