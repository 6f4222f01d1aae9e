import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { part } from './conformance/slow-checks.ts';

/** The test files that take longest, in the order in which they start: none is left to run alone at the end. */
const LONGEST = [
  ...['conformance/odd-servers', 'conformance/mutants-2', 'conformance/models-1'],
  ...['conformance/models-2', 'conformance/mutants-3', 'conformance/models-3'],
  ...['deploy/suite', 'conformance/mutants-1', 'conformance/fuzz/fuzz', 'models/crowds'],
  ...['lab/lessons/lessons', 'models/lifecycle', 'models/faults', 'models/wait'],
  ...['models/promises', 'conformance/command', 'models/shutdown', 'lab/page/page', 'models/cores'],
  ...['models/fairness', 'packaging/package', 'deploy/hidden', 'deploy/balancer'],
  ...['models/one-for-each-client', 'lab/page/server', 'client/cli', 'bench/generator'],
  ...['bench/bench', 'conformance/suite', 'deploy/command', 'examples/examples'],
].map((name) => `/${name}.test.ts`);

/**
 * What `npm test` leaves to `npm run test:slow`: the tests of the suite itself, with broken servers, odd ones and
 * random scripts; servers behind a balancer; crowds; every lesson of the lab, played by every model; the installed package.
 * `conformance/slow-checks.ts` says which checks of the models are left to it as well.
 */
const SLOW = [
  'conformance/mutants-{1,2,3}',
  'conformance/odd-servers',
  'conformance/fuzz/fuzz',
  'deploy/{suite,hidden,balancer}',
  'packaging/package',
  'models/crowds',
  'lab/lessons/lessons',
].map((name) => `${name}.test.ts`);

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
    include: part === 'slow' ? [...SLOW, 'conformance/models-*.test.ts'] : ['**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(part === 'quick' ? SLOW : [])],
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
