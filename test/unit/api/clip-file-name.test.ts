import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipFileName } from '../../../src/api/clip-file-name.ts';

const triggeredAtMs = Date.parse('2026-11-21T23:30:00Z');

describe('a clip’s file name', () => {
  it.each([
    ['Well done, Kim', 'Well done, Kim 2026-11-21.mp4'],
    ['数学课 · fractions', '数学课 · fractions 2026-11-21.mp4'],
    ['  a\t/\\ b  ', 'a b 2026-11-21.mp4'],
    ['...hidden', 'hidden 2026-11-21.mp4'],
    ['x'.repeat(200), `${'x'.repeat(50)} 2026-11-21.mp4`],
    ['', 'Highlight 2026-11-21.mp4'],
    [null, 'Highlight 2026-11-21.mp4'],
  ])('of %j is %j', (title, name) => {
    expect(clipFileName({ title, triggeredAtMs })).toBe(name);
  });

  it('is one that any system takes, whatever the title', () => {
    // Any code units: halves of characters too.
    const unit = fc.nat(0xffff).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 200 }), (title) => {
        const name = clipFileName({ title, triggeredAtMs });
        expect(name).not.toMatch(/[/\\:*?"<>|\p{Cc}\p{Cs}]|^[. ]|\s{2}/u);
        // The limit of ext4, NTFS and APFS.
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(encodeURIComponent(name)).toMatch(/\.mp4$/);
      }),
    );
  });
});
