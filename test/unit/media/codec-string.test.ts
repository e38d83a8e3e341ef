import { describe, expect, it } from 'vitest';
import { codecString } from '../../../src/media/codec-string.ts';

function config(type: string, record: string): Buffer {
  const content = Buffer.from(record.replaceAll(' ', ''), 'hex');
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.length, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
}

describe('codecString', () => {
  it('names profile and level as players ask for them', () => {
    expect(codecString({ format: 'avc1', config: config('avcC', '01 64001f ff') })).toBe(
      'avc1.64001F',
    );
    // Main, level 3.1, progressive: the example of ISO/IEC 14496-15 annex E, with one constraint byte.
    const hvcC = config('hvcC', '01 01 60000000 900000000000 5d');
    expect(codecString({ format: 'hvc1', config: hvcC })).toBe('hvc1.1.6.L93.90');
    // Main, level 3.1 (seq_level_idx 5), 8 bits.
    expect(codecString({ format: 'av01', config: config('av1C', '81 05 0c 00') })).toBe(
      'av01.0.05M.08',
    );
  });
});
