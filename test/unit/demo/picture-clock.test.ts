import { describe, expect, it } from 'vitest';
import { findPictureClock, type PictureBox } from '../../../src/demo/picture-clock.ts';

const WHITE = 235;
const BLACK = 16;
const NOW_MS = 1_795_234_567_800;

/** Draws the cells as the camera does, shown in `box` of a 1280x720 page. */
function drawClock(unixMs: number, box: PictureBox, parityError = 0): Uint8Array {
  const luma = new Uint8Array(1280 * 720).fill(120);
  const steps = Math.floor(unixMs / 100) % 2 ** 20;
  const data = Array.from(steps.toString(2).padStart(20, '0')).map(Number);
  const ones = data.filter((bit) => bit === 1).length;
  const cells = [1, 0, ...data, (ones + parityError) % 2, 1];
  for (let y = 0; y < 720; y++) {
    for (let x = 0; x < 1280; x++) {
      const cameraX = ((x + 0.5 - box.x) / box.width) * 320;
      const cameraY = ((y + 0.5 - box.y) / box.height) * 180;
      const cell = cells[Math.floor((cameraX - 16) / 12)];
      if (cameraX < 16 || cell === undefined || cameraY < 162 || cameraY >= 174) continue;
      luma[y * 1280 + x] = cell === 1 ? WHITE : BLACK;
    }
  }
  return luma;
}

describe('picture clock', () => {
  const tile = { x: 646, y: 64, width: 304, height: 171 };
  const read = (luma: Uint8Array, nearMs = NOW_MS, box = tile): number | undefined =>
    findPictureClock({ luma, width: 1280, height: 720 }, box, nearMs);

  it.each([
    ['a tile', tile],
    ['a large tile', { x: 14.5, y: 64.25, width: 700, height: 393.75 }],
    ['a small tile', { x: 100, y: 100, width: 224, height: 126 }],
  ])('reads the time back from %s', (_, box) => {
    expect(read(drawClock(NOW_MS - 1700, box), NOW_MS, box)).toBe(NOW_MS - 1700);
  });

  it('finds the turn of the counter nearest to the time given', () => {
    const luma = drawClock(NOW_MS, tile);
    expect(read(luma, NOW_MS + 40_000_000)).toBe(NOW_MS);
    expect(read(luma, NOW_MS - 40_000_000)).toBe(NOW_MS);
  });

  it('reads nothing where parity is wrong or there is no clock', () => {
    expect(read(drawClock(NOW_MS, tile, 1))).toBeUndefined();
    expect(read(new Uint8Array(1280 * 720).fill(120))).toBeUndefined();
  });
});
