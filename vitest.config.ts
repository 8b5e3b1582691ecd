import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SkipReporter } from './conformance/support/skip-reporter.ts';

// Tests run on the sources: the condition makes each @testudo package resolve to its src folder.
export default defineConfig({
  resolve: { conditions: ['testudo-source'] },
  ssr: { resolve: { conditions: ['testudo-source'] } },
  test: {
    include: [
      'packages/**/src/**/*.test.ts',
      'apps/**/src/**/*.test.ts',
      'conformance/**/*.test.ts',
      'fuzz/**/*.test.ts',
      'scripts/**/*.test.mjs',
    ],
    // Forks, since tests open sockets, start programs and change process-wide settings. Vitest leaves one
    // core free by default, which on two cores means one file at a time, and many tests only wait.
    pool: 'forks',
    maxWorkers: Math.min(Math.max(availableParallelism(), 2), 8),
    // Far more than any test takes on an idle machine: making RSA keys on a busy one is what is slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Who waits for an event does not give up earlier: the default is a second, which a busy machine may need.
    expect: { poll: { timeout: 50_000 } },
    reporters: [
      'default',
      ...(process.env['GITHUB_ACTIONS'] === 'true' ? ['github-actions'] : []),
      new SkipReporter(),
    ],
  },
});
