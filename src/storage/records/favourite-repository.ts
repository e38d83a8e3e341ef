/** One viewer's liking for one highlight. Viewers are the platform's: Chalkreel has no accounts. */
export type Favourite = {
  readonly highlightId: string;
  readonly viewerId: string;
  readonly createdAtMs: number;
};

/**
 * Which highlights a viewer keeps among the favourites: fast in Redis, lasting beside the highlight (`highlights/<id>/favourites/`), and
 * gone with it. Both writes may be repeated.
 */
export type FavouriteRepository = {
  /** In the store before it resolves. Throws `highlight-not-found`. */
  add(favourite: Favourite): Promise<void>;
  remove(highlightId: string, viewerId: string): Promise<void>;
  /** Those of some highlights that are a viewer's favourites. */
  findOf(viewerId: string, highlightIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Everybody's liking of a highlight that is being deleted; how many there were. */
  removeAll(highlightId: string): Promise<number>;
};
