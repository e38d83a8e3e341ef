import type { HighlightView } from '../common/page-api.ts';

/** Finds out which clips can be played already. */
export type PlayableWatch = {
  /** Asks for those that were not answered yet; one at a time each. */
  check(highlights: readonly HighlightView[]): void;
};

/** A clip can be played when its playlist has a first segment: the service waits up to 2 s for one. */
export function createPlayableWatch(onPlayable: (highlightId: string) => void): PlayableWatch {
  const asking = new Set<string>();
  const ask = async (id: string, playlist: string): Promise<void> => {
    asking.add(id);
    try {
      const { ok } = await fetch(playlist, { cache: 'no-store' });
      if (ok) onPlayable(id);
    } catch {
      // No connection: asked again with the next list.
    } finally {
      asking.delete(id);
    }
  };
  return {
    check(highlights) {
      for (const { id, links } of highlights) {
        if (links.playlist !== null && !asking.has(id)) void ask(id, links.playlist);
      }
    },
  };
}
