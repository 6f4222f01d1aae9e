/** Defects that the suite finds in a server, and not through a balancer: proven with the mutants. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Target } from '../conformance/check.ts';
import { checks } from '../conformance/checks/index.ts';
import { measureRoundTrip, runCheck } from '../conformance/run.ts';
import { ServerProcess } from '../conformance/server-process.ts';
import { Deployment } from './deployment.ts';
import { Haproxy, whyNoHaproxy } from './haproxy.ts';
import { type Hidden, hidden } from './verdicts.ts';

const obstacle = whyNoHaproxy();
if (obstacle) console.warn(`not tested through a balancer: ${obstacle}`);

const running: { stop(): Promise<unknown> }[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
});

const freePort = () => 20_000 + Math.floor(Math.random() * 10_000);

async function outcomeOf(id: string, port: number, more: Partial<Target> = {}): Promise<string> {
  const check = checks.find((one) => one.id === id);
  if (!check) return `there is no check ${id}`;
  const target: Target = {
    name: id,
    host: '127.0.0.1',
    port,
    maxLine: 65536,
    silence: 500,
    ...more,
  };
  const { outcome } = await runCheck(check, target, 1500, await measureRoundTrip(target));
  return outcome;
}

/** The ports of a mutant: its own, and that of a balancer in front of it. */
async function ports({ mutant, takesThree }: Hidden): Promise<{ own: number; balanced: number }> {
  const program = `conformance/mutants/${mutant}.ts`;
  if (takesThree) {
    const deployment = await Deployment.start({ program, port: freePort(), noHosts: true });
    running.push(deployment);
    const own = Number(deployment.server('one').address.split(':')[1]);
    return { own, balanced: deployment.port };
  }
  // One process is enough: HAProxy takes it for three.
  const server = await ServerProcess.start(program);
  const address = `127.0.0.1:${server.port}`;
  const servers = { one: address, two: address, three: address };
  const haproxy = await Haproxy.start({ port: freePort(), servers });
  running.push(server, haproxy.program);
  return { own: server.port, balanced: haproxy.port };
}

describe.skipIf(obstacle).concurrent(`hidden by HAProxy${obstacle ? `: ${obstacle}` : ''}`, () => {
  test.each(hidden)('$mutant, which $check catches', async (one) => {
    const { own, balanced } = await ports(one);
    const directly = await outcomeOf(one.check, own);
    if (directly === 'unsupported') return; // no ::1 here
    expect(directly).toBe('fail');
    expect(await outcomeOf(one.check, balanced)).toBe('pass');
  });

  test('a time-out that is shorter than clients are silent fails a right server', async () => {
    const server = await ServerProcess.start('conformance/reference.ts');
    const address = `127.0.0.1:${server.port}`;
    const servers = { one: address, two: address, three: address };
    const haproxy = await Haproxy.start({ port: freePort(), servers, silence: '1s' });
    running.push(server, haproxy.program);
    const silence = 1500;
    expect(await outcomeOf('bystanders/partial-lines', server.port, { silence })).toBe('pass');
    expect(await outcomeOf('bystanders/partial-lines', haproxy.port, { silence })).toBe('fail');
  });
});
