import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FragmentReader, type CodedPicture } from '../../../src/media/mp4/fragment-reader.ts';
import { fragmentHeader, initSegment } from '../../../src/media/mp4/fragments.ts';

/** An `avcC` box of nothing: its content is not looked at. */
const config = Buffer.from([0, 0, 0, 12, ...Buffer.from('avcC'), 1, 66, 192, 30]);
const track = {
  kind: 'video',
  width: 320,
  height: 180,
  description: { format: 'avc1', config },
} as const;

const samples = fc.array(
  fc.record({
    bytes: fc.integer({ min: 0, max: 300 }),
    duration: fc.integer({ min: 1500, max: 18_000 }),
    compositionOffset: fc.integer({ min: -9000, max: 9000 }),
    isKey: fc.boolean(),
  }),
  { minLength: 1, maxLength: 20 },
);

describe('fragments', () => {
  it('are read back as they were written, in whatever pieces they come', () => {
    const fragments = fc.array(samples, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fragments, fc.integer({ min: 1, max: 700 }), (written, piece) => {
        const parts: Buffer[] = [initSegment(track, 0)];
        const expected: CodedPicture[] = [];
        let time = 5_000_000_000;
        for (const [i, list] of written.entries()) {
          parts.push(fragmentHeader(track, { sequence: i + 1, baseTime: time, samples: list }));
          for (const { bytes, duration, compositionOffset, isKey } of list) {
            const data = Buffer.alloc(bytes, expected.length);
            parts.push(data);
            expected.push({ pts90k: time + compositionOffset, isKey, data });
            time += duration;
          }
        }
        const found: CodedPicture[] = [];
        const reader = new FragmentReader((picture) => found.push(picture));
        const file = Buffer.concat(parts);
        for (let at = 0; at < file.length; at += piece) reader.push(file.subarray(at, at + piece));
        const { width, height, format } = reader.finish();
        expect({ width, height, format }).toEqual({ width: 320, height: 180, format: 'avc1' });
        expect(found).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('that end too early are refused', () => {
    const sample = { bytes: 9, duration: 3000, compositionOffset: 0, isKey: true };
    const header = fragmentHeader(track, { sequence: 1, baseTime: 0, samples: [sample] });
    const reader = new FragmentReader(() => undefined);
    reader.push(Buffer.concat([initSegment(track, 0), header]));
    expect(() => reader.finish()).toThrow(/whole boxes/);
  });

  it('say what all samples have in common once', () => {
    const frame = { bytes: 300, duration: 1024, compositionOffset: 0, isKey: true };
    const of = (count: number): number =>
      fragmentHeader(track, {
        sequence: 1,
        baseTime: 0,
        samples: Array.from({ length: count }, () => frame),
      }).length;
    const BYTES_OF_A_SIZE = 4;
    expect(of(101) - of(1)).toBe(100 * BYTES_OF_A_SIZE);
  });
});
