import { defineConfig } from 'vitest/config';

/** How long a test waits for what must come. Never the 1 s of vitest: on a busy machine that is a guess, and a red test. */
const expect = { poll: { timeout: 20_000 } };

/** `unit`: beside the code, no servers of another process group. `e2e`: real processes and servers. `long`: the same, for hours. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'services/*/src/**/*.test.ts',
            'deploy/**/*.test.ts',
            'e2e/src/**/*.unit.test.ts',
            'bench/src/**/*.unit.test.ts',
          ],
          expect,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/src/**/*.e2e.test.ts', 'bench/src/**/*.e2e.test.ts'],
          expect,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'long',
          include: ['e2e/src/**/*.long.test.ts'],
          expect,
          testTimeout: 3_000_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
