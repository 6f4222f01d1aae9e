import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The test files that take longest. They start first, so that none is left to run alone at the end. */
const LONGEST = [
  'conformance/mutants-1',
  'conformance/mutants-2',
  'conformance/mutants-3',
  'models/lifecycle',
  'conformance/models',
  'models/fairness',
  'models/faults',
  'models/promises',
  'conformance/command',
  'conformance/fuzz/fuzz',
  'models/crowds',
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
    // Tests wait more than they work: with one file for each core the cores would be half idle.
    maxWorkers: availableParallelism() + 1,
    // Most start real servers and talk to them; a test that hangs is a failure, not a wait.
    testTimeout: 60_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default'],
  },
});
