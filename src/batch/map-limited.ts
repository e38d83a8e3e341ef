/**
 * What `map` makes of each item, in their order; up to `limit` at once. After a failure none is begun any more; it is thrown when those
 * that were are through.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, item] = next;
      try {
        results[i] = await map(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: Math.max(1, limit) }, work));
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  return results;
}
