import type { ClipWindow, Highlight } from '../model/highlight.ts';
import type { ApiContext } from './context.ts';

/** How much of a highlight's window can be played, in answers. */
export type ClipExtent = {
  /** From the first segment there is to the last, Unix ms; grows while the window is open. Null while nothing can be played. */
  readonly bounds: ClipWindow | null;
  /** What is missing in it and will not come: it is skipped. */
  readonly holes: readonly ClipWindow[];
  readonly isPlayable: boolean;
};

/** A highlight's extent; without bounds when it cannot be read now, since what it is told with must not fail for that. */
export async function readExtent(
  { clips }: Pick<ApiContext, 'clips'>,
  highlight: Highlight,
): Promise<ClipExtent> {
  const { playlistGoneAtMs, clip, window } = highlight;
  if (playlistGoneAtMs !== undefined) {
    return { bounds: clip === null ? null : window, holes: [], isPlayable: clip !== null };
  }
  const plan = await clips.find(highlight).catch(() => undefined);
  const { bounds = null, holes = [] } = plan ?? {};
  return { bounds, holes, isPlayable: bounds !== null || clip !== null };
}
