import type { HighlightView } from '../common/page-api.ts';
import type { PendingWish, Wish } from './outbox.ts';

/** One line of the panel's list: a wish on its way, one that has arrived, or a highlight as the service lists it. */
export type Moment = { readonly key: string; readonly atMs: number } & (
  | { readonly state: 'pending'; readonly pending: PendingWish }
  | { readonly state: 'confirmed'; readonly wish: Wish }
  | { readonly state: 'listed'; readonly highlight: HighlightView; readonly isPlayable: boolean }
);

/** What is known of a recording's moments, from this panel's presses and the service's list. */
export class Moments {
  #listed: readonly HighlightView[] = [];
  /** Wishes that the service has, by its id. */
  readonly #confirmed = new Map<string, Wish>();
  readonly #playable = new Set<string>();

  /** The service has it: under this id it will be listed. */
  confirm(highlightId: string, wish: Wish): void {
    // The service may say that two presses were one: the first keeps its line.
    if (!this.#confirmed.has(highlightId)) this.#confirmed.set(highlightId, wish);
  }

  list(highlights: readonly HighlightView[]): void {
    this.#listed = highlights;
  }

  setPlayable(highlightId: string): void {
    this.#playable.add(highlightId);
  }

  /** Those that may be playable but were not yet. */
  get unproven(): readonly HighlightView[] {
    return this.#listed.filter((highlight) => !this.#isPlayable(highlight));
  }

  /** All, newest first. A line keeps its key from the press on. */
  lines(pending: readonly PendingWish[]): readonly Moment[] {
    const listedIds = new Set(this.#listed.map(({ id }) => id));
    const confirmed = new Set([...this.#confirmed.values()].map(({ triggerId }) => triggerId));
    const lines: Moment[] = [
      ...pending
        .filter(({ wish }) => !confirmed.has(wish.triggerId))
        .map((box): Moment => {
          const { triggerId, atMs } = box.wish;
          return { key: triggerId, atMs, state: 'pending', pending: box };
        }),
      ...[...this.#confirmed]
        .filter(([id]) => !listedIds.has(id))
        .map(([, wish]): Moment => {
          return { key: wish.triggerId, atMs: wish.atMs, state: 'confirmed', wish };
        }),
      ...this.#listed.map((highlight): Moment => {
        const { id, triggeredAtMs } = highlight;
        const key = this.#confirmed.get(id)?.triggerId ?? id;
        const isPlayable = this.#isPlayable(highlight);
        return { key, atMs: triggeredAtMs, state: 'listed', highlight, isPlayable };
      }),
    ];
    return lines.sort((a, b) => b.atMs - a.atMs);
  }

  #isPlayable({ id, clip }: HighlightView): boolean {
    return clip !== null || this.#playable.has(id);
  }
}
