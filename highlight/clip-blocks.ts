import {
  AAC_FRAME_SAMPLES,
  AAC_FRAMES_PER_SEGMENT,
  SAMPLES_PER_MS,
  SEGMENT_MS,
} from '../src/model/grid.ts';
import type { ClipAudioFrame, ClipPicture, CutPlan, CutWindow } from './cut-plan.ts';

/**
 * What a clip's file holds of one segment's time: its pictures, then its frames. What came before the window and is needed in it (the held picture, the
 * frame that leads in) is in the first block. A block's samples depend on nothing behind its segment, so a file can be written as segments come.
 */
export type ClipBlock = {
  /** Number on the recording's grid. */
  readonly n: number;
  /** The first so many are encoded anew. */
  readonly reencoded: number;
  readonly pictures: readonly ClipPicture[];
  readonly frames: readonly ClipAudioFrame[];
};

/** Lays a plan's pictures and frames into blocks, one for each number that the window touches, also where there is a hole. */
export function planBlocks(plan: CutPlan, window: CutWindow): readonly ClipBlock[] {
  const first = Math.floor(window.startMs / SEGMENT_MS);
  const last = Math.floor((window.endMs - 1) / SEGMENT_MS);
  const head = plan.head?.pictures ?? [];
  const firstFrame = Math.floor((window.startMs * SAMPLES_PER_MS) / AAC_FRAME_SAMPLES) - 1;
  const pictures = group([...head, ...plan.body], ({ n }) => Math.max(first, n));
  const frames = group(plan.audio.frames, (_, i) =>
    Math.min(last, Math.max(first, Math.floor((firstFrame + i) / AAC_FRAMES_PER_SEGMENT))),
  );
  let left = head.length;
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const n = first + i;
    const shown = pictures.get(n) ?? [];
    const reencoded = Math.min(left, shown.length);
    left -= reencoded;
    return { n, reencoded, pictures: shown, frames: frames.get(n) ?? [] };
  });
}

/** Whether two blocks have the same samples; how long they last may differ. */
export function isSameBlock(one: ClipBlock, other: ClipBlock): boolean {
  return samplesOf(one) === samplesOf(other);
}

function samplesOf({ n, reencoded, pictures, frames }: ClipBlock): string {
  const refs = [...pictures, ...frames].map((unit) =>
    unit === 'silence' ? '-' : `${unit.n}.${unit.index}`,
  );
  return `${n} ${reencoded} ${pictures.length} ${refs.join(' ')}`;
}

function group<T>(
  units: readonly T[],
  keyOf: (unit: T, index: number) => number,
): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  units.forEach((unit, index) => {
    const key = keyOf(unit, index);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [unit]);
    else known.push(unit);
  });
  return groups;
}
