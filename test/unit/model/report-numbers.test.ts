import { describe, expect, it } from 'vitest';
import { describeContinuity } from '../../../src/model/continuity.ts';
import {
  joinProgress,
  NO_PROGRESS,
  PROGRESS_NUMBERS,
  readProgress,
} from '../../../src/model/progress.ts';
import { sampleEntry } from '../../support/sample-records.ts';

describe('readProgress', () => {
  it('gives every number that is known', () => {
    const unknown = ['avOffsetMs', 'avOffsetWorstMs', 'integratedLufs', 'truePeakDbtp'];
    const numbers = readProgress({ ...NO_PROGRESS, framesLate: 3 });
    expect(Object.keys(numbers)).toEqual(
      Object.keys(PROGRESS_NUMBERS).filter((key) => !unknown.includes(key)),
    );
    expect(numbers.framesLate).toBe(3);
    expect(Object.keys(readProgress({ ...NO_PROGRESS, avOffsetMs: -4 }))).toContain('avOffsetMs');
  });
});

describe('joinProgress', () => {
  const earlier = {
    ...NO_PROGRESS,
    recordedMs: 1600,
    framesCaptured: 40,
    cpuSeconds: 1.5,
    wallMs: 2000,
    avOffsetMs: 10,
    avOffsetWorstMs: -20,
    integratedLufs: -20,
    loudnessMs: 1000,
    truePeakDbtp: -3,
    encodeQueueMax: 4,
  };

  it('adds what is counted, and keeps the extremes', () => {
    const later = {
      ...earlier,
      recordedMs: 4800,
      avOffsetMs: 2,
      avOffsetWorstMs: 15,
      encodeQueueMax: 2,
    };
    expect(joinProgress(earlier, later)).toMatchObject({
      framesCaptured: 80,
      cpuSeconds: 3,
      wallMs: 4000,
      // By length: (10 · 1.6 + 2 · 4.8) / 6.4.
      avOffsetMs: 4,
      avOffsetWorstMs: -20,
      truePeakDbtp: -3,
      encodeQueueMax: 4,
    });
  });

  it('takes the mean power of two loudnesses', () => {
    expect(joinProgress(earlier, earlier).integratedLufs).toBe(-20);
    const loud = { ...earlier, integratedLufs: -10, loudnessMs: 1000 };
    // 10 · log10((0.01 + 0.1) / 2).
    expect(joinProgress(earlier, loud).integratedLufs).toBeCloseTo(-12.6, 5);
  });

  it('takes what only one of them knows', () => {
    expect(joinProgress(NO_PROGRESS, earlier)).toMatchObject({
      avOffsetMs: 10,
      integratedLufs: -20,
      truePeakDbtp: -3,
    });
    expect(joinProgress(earlier, NO_PROGRESS)).toMatchObject({
      avOffsetMs: 10,
      integratedLufs: -20,
    });
  });
});

describe('describeContinuity', () => {
  it('finds holes and says why, counts changes of encoder and lane', () => {
    const entries = [
      sampleEntry(0),
      sampleEntry(1),
      sampleEntry(3),
      sampleEntry(6, { epoch: 2 }),
      sampleEntry(7, { lane: 1, epoch: 2 }),
    ];
    expect(describeContinuity(entries, [2, 8, 9])).toEqual({
      holes: [
        { n: 2, count: 1, offsetMs: 3200, durationMs: 1600, reason: 'not-completed' },
        { n: 4, count: 2, offsetMs: 6400, durationMs: 3200, reason: 'owner-changed' },
        { n: 8, count: 1, offsetMs: 12_800, durationMs: 1600, reason: 'not-completed' },
        { n: 9, count: 1, offsetMs: 14_400, durationMs: 1600, reason: 'not-completed' },
      ],
      missingSegments: 5,
      encoderChanges: 2,
      laneChanges: 1,
    });
  });

  it('finds nothing in a whole recording', () => {
    expect(describeContinuity([sampleEntry(0), sampleEntry(1)])).toEqual({
      holes: [],
      missingSegments: 0,
      encoderChanges: 0,
      laneChanges: 0,
    });
  });
});
