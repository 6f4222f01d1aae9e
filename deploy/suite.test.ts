/** The conformance suite, aimed at a server through the balancer: which verdicts change, and why. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Target } from '../conformance/check.ts';
import { checks } from '../conformance/checks/index.ts';
import { measureRoundTrip, runCheck } from '../conformance/run.ts';
import { Deployment } from './deployment.ts';
import { freePort } from './free-port.ts';
import { whyNoHaproxy } from './haproxy.ts';
import { fallible } from './verdicts.ts';

const obstacle = whyNoHaproxy();
if (obstacle) console.warn(`the suite is not run through a balancer: ${obstacle}`);

describe.skipIf(obstacle)(`the suite through HAProxy${obstacle ? `: ${obstacle}` : ''}`, () => {
  let deployment: Deployment;
  let target: Target;
  let roundTrip: number;

  beforeAll(async () => {
    deployment = await Deployment.start({
      program: 'models/epoll-loop',
      args: ['--log', 'off'],
      port: freePort(),
    });
    const { port } = deployment;
    target = { name: 'haproxy', host: '127.0.0.1', port, maxLine: 65536, silence: 500 };
    roundTrip = await measureRoundTrip(target);
  });
  afterAll(() => deployment?.stop());

  test.sequential.each(checks.map((check) => [check.id, check] as const))(
    '%s',
    async (_, check) => {
      const verdict = await runCheck(check, target, 5000, roundTrip);
      if (verdict.outcome === 'unsupported') return;
      if (verdict.outcome === 'fail' && fallible[check.id]) return;
      expect(
        verdict.outcome,
        `${check.title}: ${verdict.message}\n${verdict.transcript.slice(-3000)}`,
      ).toBe('pass');
    },
  );
});
