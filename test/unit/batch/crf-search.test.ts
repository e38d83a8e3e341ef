import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchCrf, type CrfProbe } from '../../../src/batch/settings/crf-search.ts';

const RANGE = { min: 14, max: 40 };
const TARGET = { ssimDb: 17, worstFrameDb: 12 };

/** An encoder whose quality falls evenly: so many dB at CRF 0, so many less each step. */
function encoder(options: { ssimDb: number; worstFrameDb: number; slopeDb: number }) {
  const asked: number[] = [];
  const probe = (crf: number): Promise<CrfProbe> => {
    asked.push(crf);
    return Promise.resolve({
      crf,
      ssimDb: options.ssimDb - options.slopeDb * crf,
      worstFrameDb: options.worstFrameDb - options.slopeDb * crf,
      bytes: 1_000_000 - crf * 10_000,
    });
  };
  return { asked, probe };
}

const search = (probe: (crf: number) => Promise<CrfProbe>, maxProbes?: number) =>
  searchCrf({
    target: TARGET,
    range: RANGE,
    startCrf: 24,
    probe,
    ...(maxProbes === undefined ? {} : { maxProbes }),
  });

describe('the search for a CRF', () => {
  it('finds the highest that meets the target, in few probes', async () => {
    const { asked, probe } = encoder({ ssimDb: 30.3, worstFrameDb: 28, slopeDb: 0.44 });
    // 30.3 − 0.44 × 30 = 17.1, and one step more is too much
    const { crf, isMet } = await search(probe);
    expect({ crf, isMet }).toEqual({ crf: 30, isMet: true });
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  it('heeds the worst picture where that is nearer to its floor', async () => {
    const { probe } = encoder({ ssimDb: 40, worstFrameDb: 22.2, slopeDb: 0.4 });
    expect(await search(probe)).toMatchObject({ crf: 25, isMet: true });
  });

  it('takes the highest there is when that is still good enough', async () => {
    const { probe } = encoder({ ssimDb: 60, worstFrameDb: 60, slopeDb: 0.4 });
    expect(await search(probe)).toMatchObject({ crf: 40, isMet: true });
  });

  it('says so, and takes the lowest, when nothing is good enough', async () => {
    const { probe } = encoder({ ssimDb: 16, worstFrameDb: 16, slopeDb: 0.4 });
    expect(await search(probe)).toMatchObject({ crf: 14, isMet: false });
  });

  it('stops after so many probes with the best it has seen', async () => {
    const { asked, probe } = encoder({ ssimDb: 23.1, worstFrameDb: 40, slopeDb: 0.2 });
    const { crf, isMet } = await search(probe, 2);
    expect(asked).toHaveLength(2);
    expect(isMet).toBe(23.1 - 0.2 * crf >= 17);
  });

  it('finds it whatever the encoder is like, and never asks twice', async () => {
    const encoders = fc.record({
      ssimDb: fc.double({ min: 10, max: 50, noNaN: true }),
      worstFrameDb: fc.double({ min: 10, max: 50, noNaN: true }),
      slopeDb: fc.double({ min: 0.05, max: 1.2, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(encoders, async (made) => {
        const { asked, probe } = encoder(made);
        const { crf, isMet } = await search(probe, 27);
        const meets = (at: number): boolean =>
          made.ssimDb - made.slopeDb * at >= 17 && made.worstFrameDb - made.slopeDb * at >= 12;
        expect(new Set(asked).size).toBe(asked.length);
        expect(isMet).toBe(meets(RANGE.min));
        if (isMet) expect(crf === RANGE.max || !meets(crf + 1)).toBe(true);
        expect(meets(crf)).toBe(isMet);
      }),
    );
  });
});
