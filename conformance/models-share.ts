/** Every check, against every model. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Target } from './check.ts';
import { checks } from './checks/index.ts';
import { declarations } from './declarations.ts';
import { measureRoundTrip, runCheck } from './run.ts';
import { ServerProcess } from './server-process.ts';
import { shareOf } from './shares.ts';
import { isInThisPart } from './slow-checks.ts';
import { isAsked, testableModels } from './testable-models.ts';

const PATIENCE = 5000;
/** For what a model is declared not to do: long enough to do it all the same, were the reason wrong. */
const DECLARED_PATIENCE = 1000;

const programs = {
  ...Object.fromEntries(testableModels().map((name) => [name, `models/${name}`])),
  // Shares no code with the models: what it and they agree on is not one mistake made twice.
  reference: 'conformance/reference.ts',
};

/** Judges one share of the models: see `shareOf`. */
export function judgeModels(share: number): void {
  for (const [name, program] of shareOf(Object.entries(programs), share)) judgeModel(name, program);
}

function judgeModel(name: string, program: string): void {
  // The servers side by side, the checks of each one after another.
  describe.concurrent(name, () => {
    let server: ServerProcess;
    let target: Target;
    let roundTrip: number;

    beforeAll(async () => {
      server = await ServerProcess.start(program);
      target = {
        name,
        host: server.host,
        port: server.port,
        maxLine: 65536,
        group: server.pid,
        silence: 500,
      };
      roundTrip = await measureRoundTrip(target);
    });
    afterAll(async () => {
      await server?.stop();
    });

    const here = checks.filter(({ id }) => isInThisPart(id));
    const asked = here.filter(({ id }) => isAsked(name, id));
    const rest = here.length - asked.length;
    if (rest > 0) test.skip(`${rest} more checks, with MODELS=all`, () => {});
    test.sequential.each(asked.map((check) => [check.id, check] as const))(
      '%s',
      { timeout: 90_000 },
      async (_, check) => {
        const reason = declarations[name]?.[check.id];
        // What needs something that the model is declared not to do tells nothing.
        if (!reason && check.needs?.some((id) => declarations[name]?.[id])) return;
        const patience = reason ? DECLARED_PATIENCE : PATIENCE;
        const verdict = await runCheck(check, target, patience, roundTrip);
        const account = `${check.title}: ${verdict.message}\n${verdict.transcript.slice(-3000)}\nserver: ${server.said.slice(-1000)}`;
        if (!check.endsServer)
          expect(server.isRunning, `the server has ended: ${account}`).toBe(true);
        if (verdict.outcome === 'unsupported') return;
        if (reason) expect(verdict.outcome, `declared as impossible (${reason})`).toBe('fail');
        else expect(verdict.outcome, account).toBe('pass');
      },
    );
  });
}
