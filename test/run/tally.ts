import { z } from 'zod';

/** How many tests (or checks) passed, failed and were skipped. */
export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** What vitest's JSON report holds of interest. A file that could not be loaded has failed without a test. */
const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number().default(0),
  testResults: z.array(
    z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
});

/**
 * Counts one step. With a report its tests are counted, and files that failed as a whole; a step that failed, or whose
 * report is missing or empty, counts as at least one failure whatever the report says.
 */
export function tallyStep(
  succeeded: boolean,
  report?: { readonly json: string | undefined },
): Tally {
  if (report === undefined) {
    return succeeded ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
  }
  const counted = countReport(report.json);
  const sound = succeeded && counted.passed > 0;
  return sound ? counted : { ...counted, failed: Math.max(1, counted.failed) };
}

function countReport(json: string | undefined): Tally {
  const nothing = { passed: 0, failed: 0, skipped: 0 };
  if (json === undefined) return nothing;
  const report = reportSchema.parse(JSON.parse(json));
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, t) => sum + t.passed, 0),
    failed: tallies.reduce((sum, t) => sum + t.failed, 0),
    skipped: tallies.reduce((sum, t) => sum + t.skipped, 0),
  };
}

/** The line a run ends with. */
export function formatTally({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
