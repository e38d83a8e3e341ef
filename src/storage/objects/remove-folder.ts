import type { ObjectStore } from './object-store.ts';

/** What was taken out of the store. */
export type Removed = { readonly objects: number; readonly bytes: number };

/** Deletes at a time: each waits for the disk to be sure. */
const CONCURRENCY = 16;

/**
 * Deletes the objects whose keys start with a prefix, but for those that are to be kept, `last` after all others. May be repeated, also
 * after it was cut short.
 */
export async function removeFolder(
  store: ObjectStore,
  prefix: string,
  options: { readonly keep?: (key: string) => boolean; readonly last?: string } = {},
): Promise<Removed> {
  const { keep, last } = options;
  const found: { readonly key: string; readonly length: number }[] = [];
  for await (const object of store.list(prefix)) if (!keep?.(object.key)) found.push(object);
  const others = found.filter(({ key }) => key !== last).values();
  const deleteOthers = async (): Promise<void> => {
    for (const { key } of others) await store.delete(key);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, deleteOthers));
  if (last !== undefined && found.some(({ key }) => key === last)) await store.delete(last);
  return { objects: found.length, bytes: found.reduce((sum, { length }) => sum + length, 0) };
}
