import path from 'node:path';
import { z } from 'zod';

/** Lines shown of each failed test's message. */
const MESSAGE_LINES = 14;

/** What vitest's JSON report says of tests, and files, that failed. */
const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({
          status: z.string(),
          fullName: z.string(),
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
});

/** Lines that name each failed test of a vitest report, with the beginning of its message; none without a report. */
export function describeFailures(json: string | undefined): string[] {
  if (json === undefined) return [];
  return reportSchema.parse(JSON.parse(json)).testResults.flatMap((file) => {
    const name = path.relative('.', file.name);
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0) {
      return file.status === 'failed' ? [`✗ ${name}`, ...beginning(file.message)] : [];
    }
    return failed.flatMap((test) => [
      `✗ ${name}: ${test.fullName}`,
      ...test.failureMessages.flatMap(beginning),
    ]);
  });
}

function beginning(message: string): string[] {
  return message
    .split('\n')
    .slice(0, MESSAGE_LINES)
    .map((line) => `    ${line}`);
}
