/**
 * The checks are checked: each mutant is a server with one defect, and the checks named beside it must
 * catch it. A simple line must pass on all of them that can do one, so that a mutant that is merely
 * broken proves nothing.
 */
import { describe, expect, test } from 'vitest';
import type { Target } from './check.ts';
import { checks } from './checks/index.ts';
import { runCheck } from './run.ts';
import { ServerProcess } from './server-process.ts';

const PATIENCE = 1500;
const ROUND_TRIP = 2;

const mutants: Readonly<Record<string, { passes: string[]; fails: string[] }>> = {
  'echoes-chunks': {
    passes: ['framing/one-line', 'slow-readers/server-stops-taking'],
    fails: [
      'framing/partial-line-is-held',
      'framing/crlf-split-across-segments',
      'framing/lone-lf-is-a-byte',
      'framing/lone-cr-is-a-byte',
      'half-close/tail-is-dropped',
      'limits/line-too-long',
    ],
  },
  'one-buffer-for-all': {
    passes: ['framing/one-line', 'framing/partial-line-is-held'],
    fails: ['concurrency/hundred-interleaved', 'concurrency/beside-one-partial-line'],
  },
  'decodes-utf8': {
    passes: ['framing/one-line'],
    fails: [
      'framing/every-byte-value',
      'framing/invalid-utf8',
      'framing/multibyte-split-across-segments',
      'framing/random-lines-32-mib',
    ],
  },
  'one-client-at-a-time': {
    passes: ['framing/one-line', 'concurrency/waiting-client-is-served-next'],
    fails: [
      'concurrency/second-client-while-first-idles',
      'concurrency/hundred-interleaved',
      'concurrency/beside-one-partial-line',
      'slow-readers/beside-one',
    ],
  },
  'blocks-on-slow-reader': {
    passes: ['framing/one-line', 'concurrency/beside-one-partial-line'],
    fails: ['slow-readers/beside-one', 'slow-readers/beside-twenty'],
  },
  'buffers-without-bound': {
    passes: ['framing/one-line', 'slow-readers/beside-one'],
    fails: ['slow-readers/server-stops-taking'],
  },
  'no-line-limit': {
    passes: ['framing/one-line', 'framing/partial-line-is-held'],
    fails: ['limits/line-too-long', 'limits/endless-line'],
  },
  'loses-output-at-half-close': {
    passes: ['framing/one-line'],
    fails: ['half-close/output-is-not-lost'],
  },
  'dies-of-a-reset': {
    passes: ['framing/one-line'],
    fails: ['resets/mid-line'],
  },
  'drops-last-line': {
    passes: ['framing/one-line'],
    fails: ['framing/many-lines-in-one-segment', 'framing/empty-line'],
  },
  'splits-at-bare-lf': {
    passes: ['framing/one-line', 'framing/crlf-split-across-segments'],
    fails: ['framing/lone-lf-is-a-byte'],
  },
  'turns-crlf-into-lf': {
    passes: [],
    fails: ['framing/one-line', 'framing/partial-line-is-held'],
  },
};

describe.each(Object.entries(mutants))('%s', (name, { passes, fails }) => {
  const expected = [
    ...passes.map((id) => [id, 'pass'] as const),
    ...fails.map((id) => [id, 'fail'] as const),
  ];
  test.each(expected)('%s: %s', async (id, outcome) => {
    const check = checks.find((one) => one.id === id);
    if (!check) throw new Error(`no such check: ${id}`);
    const server = await ServerProcess.start(`conformance/mutants/${name}.ts`);
    try {
      const target: Target = { name, host: server.host, port: server.port, maxLine: 65536 };
      const verdict = await runCheck(check, target, PATIENCE, ROUND_TRIP);
      expect(verdict.outcome, verdict.message).toBe(outcome);
    } finally {
      await server.stop();
    }
  });
});
