import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    globalSetup: ['vitest.global-setup.ts'],
    setupFiles: ['vitest.setup.ts'],
    // Tests wait more than they work: with one file at a time two cores would be half idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Most start real servers and talk to them; a test that hangs is a failure, not a wait.
    testTimeout: 60_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default'],
  },
});
