/** Edge of the marks on the page where a classroom tab waits (recorder/page-server.ts), pixels. */
const MARK = 8;
/** Luma of white in limited range is 235; everything else on that page is below 60. */
const WHITE_ABOVE = 200;
/** Just inside a mark, so that a picture that is shifted or scaled by a few pixels is found out. */
const INSET = 2;

/**
 * True when all four corner marks are where they belong: the picture is the page, one to one. Sizes that Chrome reports
 * are not to be trusted (lab). Frames must be I420 or NV12; the caller closes them.
 */
export async function hasCornerMarks(
  frame: VideoFrame,
  size: { readonly width: number; readonly height: number },
): Promise<boolean> {
  const visible = frame.visibleRect;
  if (visible?.width !== size.width || visible.height !== size.height) {
    return false;
  }
  const xs = [visible.x + INSET, visible.x + size.width - MARK + INSET];
  const ys = [visible.y + INSET, visible.y + size.height - MARK + INSET];
  for (const x of xs) {
    for (const y of ys) {
      if ((await readLuma(frame, x, y)) < WHITE_ABOVE) return false;
    }
  }
  return true;
}

async function readLuma(frame: VideoFrame, x: number, y: number): Promise<number> {
  const rect = { x: x - (x % 2), y: y - (y % 2), width: 2, height: 2 };
  const bytes = new Uint8Array(frame.allocationSize({ rect }));
  await frame.copyTo(bytes, { rect });
  return bytes[0] ?? 0;
}
