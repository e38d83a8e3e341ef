import { asChalkreelError } from '../src/errors.ts';
import { withDeadline } from '../src/lifecycle.ts';
import { boundaryAtOrBefore } from '../src/model/grid.ts';
import type { Capture, RecordingOrigin } from './capture.ts';

/** From the boundary that ends a recording to its last packet: three slots, the encoders' delays, some load. */
const END_TIMEOUT_MS = 5_000;

/** How much longer a recording may last, ms: whichever workers made it; a first worker's lead-in is not counted. */
export function timeLeftMs(
  { originMs, firstFrameMs }: RecordingOrigin,
  { maxDurationMs, nowMs }: { readonly maxDurationMs: number; readonly nowMs: number },
): number {
  const beganAtMs = boundaryAtOrBefore(firstFrameMs) === originMs ? firstFrameMs : originMs;
  return Math.max(0, maxDurationMs - (nowMs - beganAtMs));
}

/** Ends a capture at a boundary, and resolves when all before it has come. Rejects as `failed` does, or with `end-timeout`. */
export async function endCapture(
  capture: Capture,
  options: { readonly endMs: number; readonly nowMs: number; readonly failed: Promise<never> },
): Promise<void> {
  const { endMs, nowMs, failed } = options;
  const ended = new Promise<void>((resolve) => capture.once('ended', resolve));
  capture.stopAt(endMs);
  await withDeadline(Promise.race([ended, failed]), endMs - nowMs + END_TIMEOUT_MS, () =>
    asChalkreelError(
      `capture did not end within ${END_TIMEOUT_MS} ms of its boundary`,
      'end-timeout',
    ),
  );
}
