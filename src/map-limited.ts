/**
 * Works on items, up to `limit` at once, begun in their order. After a failure, or when aborted, none is begun any more; it is thrown when those
 * that were are through.
 */
export async function forEachLimited<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { limit, signal }: { readonly limit: number; readonly signal?: AbortSignal },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for await (const item of items) {
    if (failure !== undefined || signal?.aborted === true) break;
    const one: Promise<void> = work(item)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => running.delete(one));
    running.add(one);
    if (running.size >= limit) await Promise.race(running);
  }
  await Promise.all(running);
  signal?.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}

/** What `map` makes of each item, in their order; otherwise as `forEachLimited`. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  await forEachLimited(items.entries(), { limit }, async ([i, item]) => {
    results[i] = await map(item);
  });
  return results;
}
