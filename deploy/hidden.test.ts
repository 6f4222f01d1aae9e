/** Defects that the suite finds in a server, and not through a balancer: proven with the mutants. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Target } from '../conformance/check.ts';
import { checks } from '../conformance/checks/index.ts';
import { measureRoundTrip, runCheck, type Verdict } from '../conformance/run.ts';
import { ServerProcess } from '../conformance/server-process.ts';
import { Deployment } from './deployment.ts';
import { freePort } from './free-port.ts';
import { Haproxy, whyNoHaproxy } from './haproxy.ts';
import { type Hidden, hidden } from './verdicts.ts';

const obstacle = whyNoHaproxy();
if (obstacle) console.warn(`not tested through a balancer: ${obstacle}`);

const running: { stop(): Promise<unknown> }[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
});

/** @param patience - how long to wait for what should happen, in milliseconds */
async function verdictOf(
  id: string,
  port: number,
  patience: number,
  more: Partial<Target> = {},
): Promise<Verdict> {
  const check = checks.find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  const target: Target = {
    name: id,
    host: '127.0.0.1',
    port,
    maxLine: 65536,
    silence: 500,
    ...more,
  };
  return runCheck(check, target, patience, await measureRoundTrip(target));
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
  test.each(hidden)('$mutant, which $check catches', { timeout: 120_000 }, async (one) => {
    const { own, balanced } = await ports(one);
    const directly = await verdictOf(one.check, own, 1500);
    if (directly.outcome === 'unsupported') return; // no ::1 here
    expect(directly).toMatchObject({ outcome: 'fail' });
    const { outcome, message, transcript } = await verdictOf(one.check, balanced, 5000);
    expect(outcome, `${message}\n${transcript.slice(-2000)}`).toBe('pass');
  });

  test('a time-out that is shorter than clients are silent fails a right server', async () => {
    const server = await ServerProcess.start('conformance/reference.ts');
    const address = `127.0.0.1:${server.port}`;
    const servers = { one: address, two: address, three: address };
    const haproxy = await Haproxy.start({ port: freePort(), servers, silence: '1s' });
    running.push(server, haproxy.program);
    const silence = 1500;
    const id = 'bystanders/partial-lines';
    expect(await verdictOf(id, server.port, 5000, { silence })).toMatchObject({ outcome: 'pass' });
    expect(await verdictOf(id, haproxy.port, 1500, { silence })).toMatchObject({ outcome: 'fail' });
  });
});
