import { defineConfig } from 'vitest/config';

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
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
