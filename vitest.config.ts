import { defineConfig } from 'vitest/config';

const SECOND_MS = 1000;

/**
 * Four projects by what a test needs: `unit` nothing (no I/O), `integration` real Redis and ffmpeg, `web` a Chromium that shows
 * our pages, `e2e` recordings and therefore the machine to itself; with browsers one file at a time. No retries: a flaky test is a failing test.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 5 * SECOND_MS,
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 1 },
          include: ['test/integration/**/*.test.ts', 'test/contract/**/*.test.ts'],
          testTimeout: 30 * SECOND_MS,
          hookTimeout: 30 * SECOND_MS,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'web',
          sequence: { groupOrder: 2 },
          include: ['test/e2e/web/**/*.test.ts'],
          testTimeout: 120 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          sequence: { groupOrder: 3 },
          include: ['test/e2e/*.test.ts'],
          testTimeout: 120 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
          fileParallelism: false,
        },
      },
    ],
  },
});
