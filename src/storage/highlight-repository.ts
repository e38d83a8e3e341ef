import type { Highlight } from '../model/highlight.ts';

/** The highlights' records: fast in Redis, lasting as `highlights/<id>/highlight.json` in the object store. */
export type HighlightRepository = {
  /**
   * Creates it unless its recording already has one with this `triggerId`, in which case that one is
   * returned and nothing changes. In the store before it resolves.
   */
  create(
    highlight: Highlight,
  ): Promise<{ readonly highlight: Highlight; readonly created: boolean }>;
  find(id: string): Promise<Highlight | undefined>;
  /** Throws `highlight-not-found`. */
  get(id: string): Promise<Highlight>;
  listByRecording(recordingId: string): Promise<readonly Highlight[]>;
  update(id: string, change: (highlight: Highlight) => Highlight): Promise<Highlight>;
  delete(id: string): Promise<void>;
};
