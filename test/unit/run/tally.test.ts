import { describe, expect, it } from 'vitest';
import { addTallies, formatTally, tallyStep } from '../../run/tally.ts';

const test = (status: string) => ({ status });
function report(options: {
  passed?: number;
  failed?: number;
  skipped?: number;
  files?: { status: string; assertionResults: { status: string }[] }[];
}): { json: string } {
  const { passed = 0, failed = 0, skipped = 0, files = [] } = options;
  return {
    json: JSON.stringify({
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: skipped,
      testResults: files,
    }),
  };
}

describe('tally', () => {
  it('counts a plain step as one', () => {
    expect(tallyStep(true)).toEqual({ passed: 1, failed: 0, skipped: 0 });
    expect(tallyStep(false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('takes the numbers of a report', () => {
    expect(tallyStep(true, report({ passed: 7, skipped: 2 }))).toEqual({
      passed: 7,
      failed: 0,
      skipped: 2,
    });
    const files = [{ status: 'failed', assertionResults: [test('failed'), test('passed')] }];
    expect(tallyStep(false, report({ passed: 1, failed: 1, files })).failed).toBe(1);
  });

  it('counts a file that could not be loaded as a failure', () => {
    const files = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [test('failed')] },
      { status: 'passed', assertionResults: [test('passed')] },
    ];
    expect(tallyStep(false, report({ passed: 1, failed: 1, files })).failed).toBe(2);
  });

  it('is never green when the run failed, died without a report, or ran nothing', () => {
    expect(tallyStep(false, report({ passed: 9 }))).toEqual({ passed: 9, failed: 1, skipped: 0 });
    expect(tallyStep(true, { json: undefined }).failed).toBe(1);
    expect(tallyStep(true, report({})).failed).toBe(1);
  });

  it('sums up in one line', () => {
    const sum = addTallies([tallyStep(true), tallyStep(false), tallyStep(true)]);
    expect(formatTally(sum)).toBe('2 passed, 1 failed');
    expect(formatTally({ passed: 1, failed: 0, skipped: 3 })).toBe('1 passed, 0 failed, 3 skipped');
  });
});
