import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findLengthPrefixed,
  findParameterSets,
  findPictureType,
  joinAnnexB,
  joinLengthPrefixed,
  nalType,
  splitAnnexB,
  startsWithDelimiter,
} from '../../../src/media/h264.ts';
import { accessUnit, PPS, SPS, startCode } from './stream.ts';

/** NAL units as encoders put them out: no start code within, no zero at the end. */
const nal = fc
  .tuple(
    fc.integer({ min: 1, max: 31 }),
    fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 40 }),
  )
  .map(([header, rest]) => Uint8Array.from([header, ...rest]));
const nals = fc.array(nal, { maxLength: 8 });

describe('Annex B', () => {
  it('is split at start codes of three and four bytes, trailing zeros left out', () => {
    fc.assert(
      fc.property(
        nals,
        fc.infiniteStream(fc.boolean()),
        fc.nat({ max: 4 }),
        (units, long, zeros) => {
          const parts = units.flatMap((unit) => [
            startCode(long.next().value === true ? 4 : 3),
            unit,
            new Uint8Array(zeros),
          ]);

          expect(plain(splitAnnexB(Buffer.concat(parts)))).toEqual(plain(units));
        },
      ),
    );
  });

  it('goes to length prefixes and back', () => {
    fc.assert(
      fc.property(nals, (units) => {
        const sample = joinLengthPrefixed(splitAnnexB(joinAnnexB(units)));

        expect(plain(findLengthPrefixed(sample) ?? [])).toEqual(plain(units));
      }),
    );
  });

  it('has no NAL units in bytes without a start code', () => {
    expect(splitAnnexB(Uint8Array.of(0x65, 1, 2, 0, 0))).toEqual([]);
    expect(splitAnnexB(Uint8Array.of())).toEqual([]);
  });
});

describe('findLengthPrefixed', () => {
  it.each([
    ['a length cut off', [0, 0, 0]],
    ['a NAL unit cut off', [0, 0, 0, 3, 0x65, 1]],
    ['an absurd length', [0xff, 0xff, 0xff, 0xff, 0x65]],
  ])('finds nothing in %s', (_, bytes) => {
    expect(findLengthPrefixed(Uint8Array.from(bytes))).toBeUndefined();
  });
});

describe('an access unit', () => {
  it('tells its type and parameter sets', () => {
    const key = accessUnit({ isKey: true, bytes: 30, hasDelimiter: true });
    const other = accessUnit({ isKey: false, bytes: 30 });

    expect([findPictureType(key), findPictureType(other)]).toEqual([5, 1]);
    expect([startsWithDelimiter(key), startsWithDelimiter(other)]).toEqual([true, false]);
    expect(plain(findParameterSets(key).sps)).toEqual(plain([SPS]));
    expect(plain(findParameterSets(key).pps)).toEqual(plain([PPS]));
    expect(findParameterSets(other)).toEqual({ sps: [], pps: [] });
  });

  it('has no type without a slice', () => {
    expect(findPictureType(Uint8Array.of(0, 0, 0, 1, 9, 0xf0))).toBeUndefined();
    expect(nalType(Uint8Array.of())).toBe(-1);
  });
});

function plain(units: readonly Uint8Array[]): number[][] {
  return units.map((unit) => [...unit]);
}
