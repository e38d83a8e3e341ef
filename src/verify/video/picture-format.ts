import type { Complain } from '../findings.ts';
import { findLevelExcess } from './level.ts';
import type { Sps } from './sps.ts';

const BT709 = 1;

/** Checks what an SPS says about size, pixels, colour and level; `fps` undefined leaves the rate out. */
export function checkPictureFormat(sps: Sps, fps: number | undefined, complain: Complain): void {
  if (sps.width % 2 !== 0 || sps.height % 2 !== 0) {
    complain('size-even', null, `the picture is ${sps.width}×${sps.height}`);
  }
  const { vui } = sps;
  if (vui && vui.sarWidth !== vui.sarHeight) {
    complain('square-pixels', null, `the sample aspect ratio is ${vui.sarWidth}:${vui.sarHeight}`);
  }
  const colour = vui?.colour?.join(', ') ?? 'nothing';
  if (!vui?.colour?.every((code) => code === BT709)) {
    complain('colour', null, `primaries, transfer, matrix: ${colour}, expected 1, 1, 1`);
  }
  if (vui?.fullRange !== false) {
    complain('colour', null, `full range is ${vui?.fullRange ?? 'not signalled'}, expected false`);
  }
  const excess = findLevelExcess(sps, fps ?? 1);
  if (excess) complain('level', null, excess);
}
