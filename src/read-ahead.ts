/** What the reads give, in order; up to `ahead` of them are begun before they are asked for. A failure is thrown in its turn. */
export async function* readAhead<T>(
  reads: Iterable<() => Promise<T>>,
  ahead: number,
): AsyncGenerator<T, void> {
  const begun: Promise<T>[] = [];
  for (const read of reads) {
    const reading = read();
    reading.catch(() => undefined);
    begun.push(reading);
    const next = begun.length > ahead ? begun.shift() : undefined;
    if (next !== undefined) yield await next;
  }
  for (const next of begun) yield await next;
}
