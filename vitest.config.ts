import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The test files that take longest, in the order in which they start: none is left to run alone at the end. */
const LONGEST = [
  ...['conformance/models-2', 'conformance/odd-servers', 'conformance/mutants-2'],
  ...['conformance/models-1', 'conformance/mutants-3', 'conformance/models-3'],
  ...[
    'deploy/suite',
    'conformance/mutants-1',
    'models/crowds',
    'models/lifecycle',
    'lab/lessons/lessons',
  ],
  ...['models/faults', 'models/wait', 'models/promises', 'conformance/command', 'models/shutdown'],
  ...['conformance/fuzz/fuzz', 'lab/page/page', 'models/cores', 'models/fairness'],
  ...['deploy/hidden', 'deploy/balancer', 'packaging/package', 'models/one-for-each-client'],
  ...['lab/page/server', 'models/last-words', 'client/cli', 'bench/generator', 'bench/bench'],
].map((name) => `/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONGEST.length : at;
    };
    return files.sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    globalSetup: ['vitest.global-setup.ts'],
    setupFiles: ['vitest.setup.ts'],
    sequence: { sequencer: LongestFirst },
    // Tests wait more than they work: with one for each core the cores would be half idle. With many more,
    // each would have too small a part of a core for what has to be done in time.
    maxWorkers: availableParallelism() + 2,
    maxConcurrency: 4,
    // Most start real servers and talk to them; a test that hangs is a failure, not a wait.
    testTimeout: 60_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default'],
  },
});
