import { isTable, type Piece } from './box.ts';

/** Bytes handed out at a time, so that the tables of a long lesson are never in memory whole. */
const STEP_BYTES = 65_536;

/** A header's bytes from `start` to before `end`, piece by piece. */
export function* readHeader(
  pieces: readonly Piece[],
  { start, end }: { readonly start: number; readonly end: number },
): Generator<Uint8Array, void> {
  let at = 0;
  for (const piece of pieces) {
    const from = Math.max(0, start - at);
    const to = Math.min(piece.length, end - at);
    for (let step = from; step < to; step += STEP_BYTES) {
      const stepEnd = Math.min(to, step + STEP_BYTES);
      yield isTable(piece) ? piece.write(step, stepEnd) : piece.subarray(step, stepEnd);
    }
    at += piece.length;
    if (at >= end) return;
  }
}
