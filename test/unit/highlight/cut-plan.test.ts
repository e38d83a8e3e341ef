import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planCut, type CutPlan, type CutSegment } from '../../../highlight/cut-plan.ts';
import { SEGMENT_MS, SEGMENT_TICKS } from '../../../src/model/grid.ts';

const SLOT_30 = 3000;

/** A segment at 30 fps with pictures in the given slots; slot 0 is the key picture. */
function segment(n: number, slots: readonly number[], audioFrames = 75): CutSegment {
  return {
    n,
    pictures: slots.map((slot) => ({ offset90k: slot * SLOT_30, isKey: slot === 0 })),
    audioFrames,
  };
}

const everySlot = Array.from({ length: 48 }, (_, slot) => slot);

function shown(plan: CutPlan) {
  return [...(plan.head?.pictures ?? []), ...plan.body];
}

describe('planCut', () => {
  it('copies everything when the window starts on a key picture', () => {
    const plan = planCut({
      window: { startMs: 1600, endMs: 4800 },
      segments: [0, 1, 2].map((n) => segment(n, everySlot)),
    });
    expect(plan.head).toBeNull();
    expect(plan.body).toHaveLength(96);
    expect(plan.body[0]).toEqual({ n: 1, index: 0, at90k: 0, duration90k: SLOT_30, isKey: true });
  });

  it('encodes anew from the asked picture to the next key picture, decoding from its GOP alone', () => {
    const plan = planCut({
      window: { startMs: 1000, endMs: 3000 },
      segments: [0, 1].map((n) => segment(n, everySlot)),
    });
    expect(plan.head?.skip).toBe(30);
    expect(plan.head?.decode).toHaveLength(48);
    expect(plan.head?.pictures).toHaveLength(18);
    expect(plan.head?.pictures[0]).toMatchObject({ n: 0, index: 30, at90k: 0 });
    expect(plan.body[0]).toMatchObject({ n: 1, index: 0, at90k: 600 * 90 });
  });

  it('holds the picture on show where the window starts in an empty slot', () => {
    const plan = planCut({
      window: { startMs: 500, endMs: 2000 },
      segments: [segment(0, [0, 6, 12, 20, 46, 47]), segment(1, [0, 6, 12, 46, 47])],
    });
    // slot 12 starts at 400 ms and is on show until slot 20 at 666.7 ms
    expect(plan.head?.pictures[0]).toMatchObject({
      index: 2,
      at90k: 0,
      duration90k: 60_000 - 45_000,
    });
  });

  it('needs no encoding when the held picture is a key picture', () => {
    const plan = planCut({
      window: { startMs: 100, endMs: 1600 },
      segments: [segment(0, [0, 6, 12, 46, 47])],
    });
    expect(plan.head).toBeNull();
    expect(plan.body[0]).toMatchObject({ index: 0, at90k: 0, duration90k: 18_000 - 9000 });
  });

  it('holds the last picture over a hole, puts silence there and names it', () => {
    const plan = planCut({
      window: { startMs: 0, endMs: 6400 },
      segments: [segment(0, everySlot), segment(3, everySlot)],
    });
    expect(plan.holes).toEqual([{ startMs: 1600, endMs: 4800 }]);
    expect(plan.body[47]).toMatchObject({
      n: 0,
      index: 47,
      duration90k: SLOT_30 + 2 * SEGMENT_TICKS,
    });
    const silent = plan.audio.frames.flatMap((frame, i) => (frame === 'silence' ? [i] : []));
    // frame 0 is the pre-roll before the recording's start
    expect(silent).toEqual([0, ...Array.from({ length: 150 }, (_, i) => 76 + i)]);
  });

  it('shows the picture before a hole when the window starts in the hole', () => {
    const plan = planCut({
      window: { startMs: 2000, endMs: 4000 },
      segments: [segment(0, everySlot), segment(2, everySlot)],
    });
    expect(plan.head?.pictures).toEqual([
      { n: 0, index: 47, at90k: 0, duration90k: 1200 * 90, isKey: false },
    ]);
    expect(plan.body[0]).toMatchObject({ n: 2, index: 0, at90k: 1200 * 90 });
  });

  it('starts the sound one frame before the frame that holds the first sample', () => {
    const plan = planCut({
      window: { startMs: 1600, endMs: 3200 },
      segments: [0, 1].map((n) => segment(n, everySlot)),
    });
    expect(plan.audio.frames[0]).toEqual({ n: 0, index: 74 });
    expect(plan.audio.frames).toHaveLength(76);
    expect(plan.audio.skipSamples).toBe(1024);
  });

  it('decodes for the poster from the key picture to the picture on show at its moment', () => {
    const plan = planCut({
      window: { startMs: 0, endMs: 3200 },
      segments: [0, 1].map((n) => segment(n, everySlot)),
      posterAtMs: 1700,
    });
    expect(plan.poster).toEqual([0, 1, 2, 3].map((index) => ({ n: 1, index })));
  });

  it('refuses a window without length and a recording without picture', () => {
    const segments = [segment(1, everySlot)];
    expect(() => planCut({ window: { startMs: 5, endMs: 5 }, segments })).toThrow(/ends after/);
    expect(() => planCut({ window: { startMs: 0.5, endMs: 5 }, segments })).toThrow(/whole/);
    expect(() => planCut({ window: { startMs: 0, endMs: 5 }, segments })).toThrow(/picture at or/);
  });

  it('adds up to the window to the tick, in picture and sound, whatever is sparse or missing', () => {
    fc.assert(
      fc.property(sparseRecording(), fc.nat(), fc.nat(), (segments, a, b) => {
        const totalMs = (segments.at(-1)!.n + 1) * SEGMENT_MS;
        const startMs = a % (totalMs - 1);
        const endMs = startMs + 1 + (b % (totalMs - startMs));
        const plan = planCut({ window: { startMs, endMs }, segments });
        const pictures = shown(plan);
        let at = 0;
        for (const picture of pictures) {
          expect(picture.at90k).toBe(at);
          expect(picture.duration90k).toBeGreaterThan(0);
          at += picture.duration90k;
        }
        expect(at).toBe(plan.durationTicks);
        expect(plan.durationTicks).toBe((endMs - startMs) * 90);
        // every recorded picture of the window, at its exact slot, after the held one
        const recorded = segments
          .flatMap(({ n, pictures: p }) => p.map((x) => n * SEGMENT_TICKS + x.offset90k))
          .filter((ticks) => ticks > startMs * 90 && ticks < endMs * 90);
        expect(pictures.slice(1).map((p) => p.at90k + startMs * 90)).toEqual(recorded);
        expect(plan.body[0]?.isKey ?? true).toBe(true);
        expect(plan.head?.pictures.slice(1).some((p) => p.isKey) ?? false).toBe(false);
        const { frames, skipSamples } = plan.audio;
        expect(skipSamples).toBeGreaterThanOrEqual(1024);
        expect(skipSamples).toBeLessThan(2048);
        const surplus = frames.length * 1024 - skipSamples - (endMs - startMs) * 48;
        expect(surplus).toBeGreaterThanOrEqual(0);
        expect(surplus).toBeLessThan(1024);
      }),
      { numRuns: 300 },
    );
  });
});

/** Up to eight segments at 30 fps with random empty slots and holes; the first is there, and so is the last. */
function sparseRecording() {
  const slots = fc
    .uniqueArray(fc.integer({ min: 1, max: 47 }), { maxLength: 47 })
    .map((some) => [0, ...some.sort((a, b) => a - b)]);
  return fc
    .array(fc.record({ slots, isHole: fc.boolean() }), { minLength: 1, maxLength: 8 })
    .map((list) =>
      list.flatMap((item, n) =>
        item.isHole && n > 0 && n < list.length - 1 ? [] : [segment(n, item.slots)],
      ),
    );
}
