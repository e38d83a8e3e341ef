import type { FavouriteRepository } from '../records/favourite-repository.ts';
import type { HighlightRepository } from '../records/highlight-repository.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { removeFolder, type Removed } from '../objects/remove-folder.ts';
import type { ShareRepository } from '../records/share-repository.ts';

export type HighlightRemoval = Removed & {
  readonly existed: boolean;
  readonly shares: number;
  readonly favourites: number;
};

/**
 * Removes a highlight with its media, shares and favourites; with it go its pins. The record goes first, so that nothing is added to it
 * meanwhile; what is left is found by name, so it may be repeated after it was cut short.
 */
export async function removeHighlight(
  id: string,
  services: {
    readonly highlights: HighlightRepository;
    readonly favourites: FavouriteRepository;
    readonly shares: ShareRepository;
    readonly store: ObjectStore;
  },
): Promise<HighlightRemoval> {
  const { highlights, favourites, shares, store } = services;
  const existed = (await highlights.find(id)) !== undefined;
  await highlights.delete(id);
  const revoked = await shares.revokeAll({ kind: 'highlight', targetId: id });
  const liked = await favourites.removeAll(id);
  const removed = await removeFolder(store, objectKeys.highlightFolder(id));
  return { ...removed, existed, shares: revoked, favourites: liked };
}
