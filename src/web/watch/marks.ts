import type { HighlightView } from '../common/page-api.ts';

/** A highlight's place on the time line, in parts of the whole: both from 0 to 1. */
export type Mark = { readonly id: string; readonly from: number; readonly width: number };

/** Where highlights lie on a recording of `durationMs` from `originMs` on; those outside are left out, earlier ones first. */
export function planMarks(
  highlights: readonly Pick<HighlightView, 'id' | 'window'>[],
  { originMs, durationMs }: { readonly originMs: number; readonly durationMs: number },
): readonly Mark[] {
  if (!(durationMs > 0)) return [];
  const share = (ms: number): number => Math.min(1, Math.max(0, (ms - originMs) / durationMs));
  return highlights
    .map(({ id, window: { startMs, endMs } }) => {
      const from = share(startMs);
      return { id, from, width: share(endMs) - from };
    })
    .filter(({ width }) => width > 0)
    .sort((a, b) => a.from - b.from);
}
